"""Break a run at a random moment, many times, and look at what is left of it.

    python scripts/faults.py [--runs N] [--seed S] [--only NAME] [--engine PIDFILE]

Each run grades the honest solution of the sandbox tests' exercise in a process of its own while
something happens to it. Afterwards there is either the same score as ever, or none and exit code
3 (137 or 130 where the command itself was killed); no half-written result; no container runs
longer than its limit + 2 s, and the next command removes what is left.

With ``--engine`` the engine itself is stopped and killed as well (``dockerd``'s PID file, as root,
where nothing else uses it), and started again by ``scripts/bootstrap.sh``.

Exit code 0 when all of that held in every run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker

from grader.sandbox.engine import OWNER, Engine
from grader.sandbox.leftovers import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "tests" / "sandbox" / "project"
SEED = "5eed" * 8
LIMIT = 20.0  # wall seconds of the exercise
GRACE = 2.0
PLATFORM = 3
SOCKET = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
TRANSCRIPT_FITS_NOT = 2_000  # bytes that a file may have


def command(folder: Path, extra: Mapping[str, str], limit: int = 0) -> subprocess.Popen[str]:
    """Start ``grade`` on the honest solution.

    Args:
        folder: where the solution is put and results go.
        extra: environment variables besides the inherited ones.
        limit: the most bytes that it may write to one file; 0 for any.
    """
    solution = folder / "solution.py"
    solution.write_text((PROJECT / "honest.py").read_text())
    arguments = [sys.executable, "-m", "grader", str(solution), "--root", str(PROJECT)]
    arguments += ["--out", str(folder / "results"), "--seed", SEED, "--quiet"]

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen(  # noqa: S603 - this interpreter
        arguments,
        env={**os.environ, **extra},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=small if limit else None,  # noqa: PLW1509 - no threads yet in the child
    )


def owned(api: docker.APIClient, pid: int, *, running: bool) -> list[dict[str, Any]]:
    """Containers that a process made."""
    found = api.containers(all=not running, filters={"label": OWNER})
    return [item for item in found if f"|{pid}|" in item["Labels"][OWNER]]


class Proxy:
    """The engine's socket behind another one, which can be cut."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "engine.sock"
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self._server.listen()
        self._open: list[socket.socket] = []
        self._cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(SOCKET)
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """Close everything; nobody answers from now on."""
        if self._cut:
            return
        self._cut = True
        self.path.unlink()
        for item in (self._server, *self._open):
            with contextlib.suppress(OSError):
                item.shutdown(socket.SHUT_RDWR)
            item.close()


def _wait(rng: random.Random) -> None:
    time.sleep(rng.uniform(0.2, 3.5))


def _kill_command(process: subprocess.Popen[str], rng: random.Random) -> None:
    _wait(rng)
    process.kill()


def takes_signals(process: subprocess.Popen[str]) -> bool:
    """Whether a command has begun; before, there is only Python's own start-up to end."""
    if process.poll() is not None:
        return True
    caught = int(_status(process.pid).partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def _interrupt(process: subprocess.Popen[str], rng: random.Random) -> None:
    while not takes_signals(process):
        time.sleep(0.01)
    _wait(rng)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, rng.choice((signal.SIGINT, signal.SIGTERM)))


def _kill_container(
    process: subprocess.Popen[str], rng: random.Random, api: docker.APIClient
) -> None:
    _wait(rng)
    running = owned(api, process.pid, running=True)
    if running:
        with contextlib.suppress(docker.errors.APIError):
            api.kill(rng.choice(running)["Id"], signal="SIGKILL")


def _end_engine(pid_file: Path, number: signal.Signals) -> None:
    pid = int(pid_file.read_text(encoding="utf-8"))
    os.kill(pid, number)
    while (status := _status(pid)) and "\nState:\tZ" not in status:
        time.sleep(0.05)


def _engine_ends(
    folder: Path, rng: random.Random, pid_file: Path, number: signal.Signals
) -> list[str]:
    """The engine is stopped or killed in the middle of a run, and started again after it."""
    folder.mkdir()
    before = {*processes()}
    process = command(folder, {})
    _wait(rng)
    _end_engine(pid_file, number)
    end = time.monotonic() + LIMIT + GRACE
    try:
        _, told = process.communicate(timeout=LIMIT + 40)
    except subprocess.TimeoutExpired:
        process.kill()
        _start_engine()
        return ["the command hangs"]
    while (left := _with_submissions(before)) and time.monotonic() < end:
        time.sleep(0.2)
    _start_engine()
    if left:
        return [f"still run: {left}"]
    found = _results(folder, process.returncode, told)
    with contextlib.closing(docker.APIClient()) as api:
        found += _containers(api, process.pid)
        (afresh := folder / "afresh").mkdir()
        again = command(afresh, {})
        _, told = again.communicate(timeout=LIMIT + 40)
        found += _results(afresh, again.returncode, told)
        found += [f"the next command ends with {again.returncode}"] if again.returncode else []
        found += _containers(api, again.pid)
    return found


def _with_submissions(before: set[str]) -> list[str]:
    """Candidate containers that hold a submission, by their processes.

    One that still waits for its submission is a single process; so are a judge between two runs
    and an analyst. These hold nothing of a candidate's, and wait for the engine's next start.
    """
    groups: dict[str, list[str]] = {}
    for line in processes():
        folder = Path("/proc", line.split()[0])
        with contextlib.suppress(OSError):
            if line not in before and b"grader.candidate" in (folder / "cmdline").read_bytes():
                groups.setdefault((folder / "cgroup").read_text(encoding="utf-8"), []).append(line)
    return [line for lines in groups.values() if len(lines) > 1 for line in lines]


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return ""


def _start_engine() -> None:
    script = ROOT / "scripts" / "bootstrap.sh"
    subprocess.run([script, "engine"], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ours


FAULTS = (
    "the command is killed", "the command is interrupted", "a container is killed",
    "the engine goes away", "the disk is full", "two commands at once",
)  # fmt: skip
ENGINE_FAULTS = {"the engine is stopped": signal.SIGTERM, "the engine is killed": signal.SIGKILL}


def one(name: str, rng: random.Random, folder: Path, api: docker.APIClient) -> list[str]:
    """One run with one fault.

    Args:
        name: one of `FAULTS`.
        rng: decides the moment.
        folder: an empty one.
        api: the engine.

    Returns:
        What is wrong with what was left; empty when nothing is.
    """
    folder.mkdir(exist_ok=True)
    if name == "two commands at once":
        return _two(folder, api)
    if name == "the engine goes away":
        proxy = Proxy(folder)
        process = command(folder, {"DOCKER_HOST": f"unix://{proxy.path}"})
        _wait(rng)
        proxy.cut()
    elif name == "the disk is full":
        process = command(folder, {}, limit=TRANSCRIPT_FITS_NOT)
    else:
        process = command(folder, {})
        doing: Mapping[str, Callable[[], None]] = {
            "the command is killed": lambda: _kill_command(process, rng),
            "the command is interrupted": lambda: _interrupt(process, rng),
            "a container is killed": lambda: _kill_container(process, rng, api),
        }
        doing[name]()
    try:
        _, told = process.communicate(timeout=LIMIT + 40)
    except subprocess.TimeoutExpired:
        process.kill()
        return ["the command hangs"]
    return [*_results(folder, process.returncode, told), *_containers(api, process.pid)]


def _results(folder: Path, code: int, told: str) -> list[str]:
    found = []
    out = folder / "results"
    complete = list(out.glob("[!.]*")) if out.exists() else []
    if code == 0 and len(complete) != 1:
        found.append(f"exit code 0 and {len(complete)} results")
    if code == PLATFORM and complete:
        found.append(f"exit code {code} and a result: {told[-300:]}")
    if code not in {0, PLATFORM, 130, -signal.SIGKILL}:
        found.append(f"exit code {code}: {told[-300:]}")
    if "Traceback" in told:
        found.append(f"a traceback: {told[-600:]}")
    if code == PLATFORM and "grade: error:" not in told:
        found.append(f"no reason is given: {told[-300:]}")
    drafts = [path.name for path in out.glob(".*")] if out.exists() else []
    if code != -signal.SIGKILL and drafts:
        found.append(f"half-written: {drafts}")
    for path in complete:  # an interrupt may come after it was published
        score = json.loads((path / "report.json").read_text())["score"]["overall"]
        if score != HONEST_SCORE:
            found.append(f"the score is {score}, not {HONEST_SCORE}")
    return found


HONEST_SCORE = 4.0


def _containers(api: docker.APIClient, pid: int) -> list[str]:
    end = time.monotonic() + LIMIT + GRACE
    while owned(api, pid, running=True):
        if time.monotonic() > end:
            return ["a container still runs"]
        time.sleep(0.2)
    Engine().sweep()  # as the next command does first
    left = owned(api, pid, running=False)
    return [f"{len(left)} containers are left"] if left else []


def _two(folder: Path, api: docker.APIClient) -> list[str]:
    """Two commands grade the same into the same folder."""
    first, second = command(folder, {}), command(folder, {})
    found = []
    for process in (first, second):
        _, told = process.communicate(timeout=LIMIT + 60)
        if process.returncode:
            found.append(f"exit code {process.returncode}: {told[-300:]}")
        found += _containers(api, process.pid)
    if len(list((folder / "results").glob("[!.]*"))) != 2:  # noqa: PLR2004 - both
        found.append("not both have a result of their own")
    return found


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10, metavar="N", help="for each fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", metavar="NAME")
    parser.add_argument("--engine", type=Path, metavar="PIDFILE", help="e.g. /run/docker.pid")
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311 - moments, reproducible
    api = docker.APIClient()
    names = [name for name in FAULTS if options.only in name]
    ends = [name for name in ENGINE_FAULTS if options.engine and options.only in name]
    bad = 0
    before = {item["Name"] for item in api.volumes()["Volumes"] or []}
    with tempfile.TemporaryDirectory(prefix="faults-") as below:
        for number in range(options.runs):
            for name in [*names, *ends]:
                folder = Path(below) / f"{number}-{name.replace(' ', '-')}"
                if name in ENGINE_FAULTS:
                    found = _engine_ends(folder, rng, options.engine, ENGINE_FAULTS[name])
                    api = docker.APIClient()  # the old one's connections are gone
                else:
                    found = one(name, rng, folder, api)
                bad += bool(found)
                print(
                    f"{number + 1:>3}/{options.runs} {name:<28} {'; '.join(found) or 'ok'}",
                    flush=True,
                )
    left = {item["Name"] for item in api.volumes()["Volumes"] or []} - before
    runs = options.runs * (len(names) + len(ends))
    print(f"{runs} runs, {bad} with problems, {len(left)} volumes left behind")
    return 1 if bad or left else 0


if __name__ == "__main__":
    sys.exit(main())
