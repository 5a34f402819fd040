"""A hostile runner: broken frames in place of a candidate, and broken payloads for the decoder.

    python scripts/fuzz.py [--frames N] [--payloads N] [--seed S] [--jobs K] [--coverage S]

The runner phase is the real host side (`ContainerStream`, `LiveCandidate`, `relay`) and a real
judge process; only the container is replaced, by a thread that speaks the engine's framing and
answers with frames that are early, late, stale, doubled, truncated, oversized, deeply nested, slow
or random, between honest ones. It knows for each hidden test whether it lied, so a verdict can be
held against that. The payload phase decodes damaged payloads; with ``--coverage`` atheris steers.

Exit code 0 when nothing crashed or hung, no verdict was wrong and memory stayed small.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib.util
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.models import Limits
from grader.sandbox import relay as relay_module
from grader.sandbox.relay import LiveCandidate, relay
from grader.sandbox.stream import ContainerStream
from grader.wire import codec
from grader.wire._tags import VERSION
from grader.wire.frames import (
    HEADER,
    Frame,
    Kind,
    pack_bundle,
    pack_ended,
    pack_json,
    read_header,
)

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS, CALLS = 100, 60  # few enough that a run does not end for its many timeouts
CALL_MS = 120
MEMORY_MIB = 600
_RECORD = struct.Struct(">BxxxI")
_SUITE = f'''
import pytest
from grader.judge.compare import assert_value

@pytest.mark.criterion("core", hint="")
@pytest.mark.parametrize("n", range({TESTS}))
def test_doubles(solution, n):
    """Numbers come back doubled."""
    for k in range({CALLS}):
        assert_value(solution.double(k), 2 * k)
'''
_JUDGE = """
import sys
from pathlib import Path
from grader.judge import server
server.SUITES = Path(sys.argv[1])
server.main()
"""


class Judge:
    """A judge process on pipes, with the methods of `JudgeBox` that the relay uses."""

    class container:  # noqa: N801 - stands for JudgeBox.container
        """Has no control group to read."""

        cgroup = None

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter
            [sys.executable, "-c", _JUDGE, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
        self._frames = 0
        if self.read().kind is not Kind.JUDGE_READY:
            raise SystemExit("the judge did not come up")
        self.answer(
            Frame(Kind.SUITE, 1, pack_bundle({"digest": "s"}, {"test_it.py": _SUITE.encode()}))
        )
        self.read()

    def begin(self, seed: str) -> None:
        """Start a run."""
        config = {"seed": seed, "call_ms": CALL_MS, "load_ms": CALL_MS, "suite": "s"}
        self.answer(Frame(Kind.RUN, 2, pack_json(config)))

    def read(self) -> Frame:
        """Its next frame."""
        pipe = self._process.stdout
        head = pipe.read(HEADER.size) if pipe else b""
        if len(head) < HEADER.size:
            raise SystemExit(f"the judge is gone, exit code {self._process.wait(10)}")
        length, deadline_ms, number, kind = read_header(head, limit=1 << 30)
        return Frame(kind, number, pipe.read(length) if pipe else b"", deadline_ms)

    def answer(self, frame: Frame) -> None:
        """Send it a frame."""
        if self._process.stdin:
            self._process.stdin.write(frame.pack())
            self._process.stdin.flush()

    def close(self) -> int:
        """End it; return the peak of its memory, in MiB."""
        # Not ru_maxrss, in which the process that started it counts as well.
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        peak = int(status.partition("VmHWM:")[2].split()[0])
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait(30)
        return peak >> 10


class Runner:
    """The container: a thread behind a socket that answers, mostly badly.

    Args:
        rng: decides how.
        lied: told when an answer was not the honest one.
    """

    class container:  # noqa: N801 - stands for CandidateBox.container
        """Filled below."""

    def __init__(self, rng: random.Random, lied: Callable[[int], None]) -> None:
        ours, self._theirs = socket.socketpair()
        box: Any = type("Container", (), {})()
        box.stream, box.cgroup = ContainerStream(ours), None
        box.state = lambda: {"Running": False, "OOMKilled": rng.random() < 0.5}  # noqa: PLR2004
        box.remove = self.remove
        self.container = box  # type: ignore[misc,assignment]
        self._rng, self._lied = rng, lied
        self.frames = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def remove(self) -> None:
        """Close both ends."""
        self.container.stream.close()  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            self._theirs.shutdown(socket.SHUT_RDWR)
        self._theirs.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                head = self._take(HEADER.size)
                length, _, number, kind = read_header(head, limit=1 << 30)
                self._answer(kind, number, self._take(length))

    def _take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._theirs.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def _send(self, data: bytes, kind: int = 1) -> None:
        rng = self._rng
        while data:
            part = data[: rng.randrange(1, len(data) + 1)] if rng.random() < 0.1 else data  # noqa: PLR2004
            self._theirs.sendall(_RECORD.pack(kind, len(part)) + part)
            data = data[len(part) :]

    def _answer(self, kind: Kind, number: int, body: bytes) -> None:
        self.frames += 1
        if kind is Kind.BEGIN:
            honest = Frame(Kind.LOADED, number)
        elif kind is Kind.END:
            honest = Frame(Kind.ENDED, number, pack_ended(late=False, reports=(), printed=b""))
        else:
            k = codec.decode(body)[2][0]
            honest = Frame(Kind.REPLY, number, codec.encode(("value", 2 * k)))
        if self._rng.random() < _HONEST[kind]:
            self._send(honest.pack())
            return
        case = self._rng.randrange(14)
        if kind is not Kind.END:  # by then every answer of the test is in
            self._lied(case)
        self._lie(case, honest, kind)

    def _lie(self, case: int, honest: Frame, kind: Kind) -> None:  # noqa: C901, PLR0912 - one case a kind
        rng, data = self._rng, honest.pack()
        match case:
            case 0:  # truncated, then silence: the deadline ends it
                self._send(data[: rng.randrange(len(data))])
            case 1:  # doubled: the second is there before the next question
                self._send(data + data)
            case 2:  # stale or early
                self._send(
                    dataclasses.replace(
                        honest, number=honest.number + rng.choice((-1, 1, 99))
                    ).pack()
                )
            case 3:  # another kind
                self._send(
                    dataclasses.replace(
                        honest, kind=rng.choice([k for k in Kind if k is not honest.kind])
                    ).pack()
                )
            case 4:  # a length that lies
                self._send(
                    HEADER.pack(
                        rng.choice((0xFFFFFFFF, 1 << 20, 7)), 0, honest.number, int(honest.kind)
                    )
                )
            case 5:  # noise
                self._send(rng.randbytes(rng.randrange(1, 200)))
            case 6:  # slow drip
                for at in range(min(len(data), 3)):
                    self._send(data[at : at + 1])
                    time.sleep(CALL_MS / 1000)
            case 7:  # the end
                self._theirs.close()
            case 8:  # a failure of its own making, maybe with a cause that there is not
                cause = rng.choice(["died", "timeout", "passed", "", 3, None, "wall-limit"])
                self._send(
                    Frame(
                        Kind.FAILURE, honest.number, pack_json({"cause": cause, "detail": "x"})
                    ).pack()
                )
            case 9:  # noise on stderr, then an honest-looking wrong value
                self._send(rng.randbytes(50), kind=2)
                self._send(dataclasses.replace(honest, body=codec.encode(("value", -1))).pack())
            case 10:  # nested deeper than allowed
                self._send(
                    dataclasses.replace(
                        honest, body=bytes([VERSION, *[11, 0, 1, 0, 0, 0] * 500])
                    ).pack()
                )
            case 11:  # oversized
                self._send(
                    dataclasses.replace(honest, body=b"x" * (LIMITS.reply_bytes + 8192)).pack()
                )
            case 12:  # an engine record of no known kind
                self._theirs.sendall(_RECORD.pack(rng.randrange(3, 255), 4) + b"abcd")
            case _:  # a damaged payload, or an answer of the wrong shape
                body = (
                    damaged(honest.body or b"\0", rng) if kind is Kind.REQUEST else rng.randbytes(9)
                )
                body = body if body != honest.body else b""
                self._send(dataclasses.replace(honest, body=body).pack())


_HONEST = {Kind.BEGIN: 0.97, Kind.REQUEST: 0.98, Kind.END: 0.9}
LIMITS = Limits(
    memory=1 << 28, cpus=1.0, pids=16, wall_seconds=3600, call_seconds=CALL_MS / 1000,
    load_seconds=CALL_MS / 1000, output_bytes=1 << 12, reply_bytes=1 << 16, scratch_bytes=1 << 20,
)  # fmt: skip


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Change a few bytes of a payload."""
    broken = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(max(1, len(broken)))
        match rng.randrange(4):
            case 0:
                del broken[at:]
            case 1:
                broken[at : at + 1] = rng.randbytes(1)
            case 2:
                broken[at : at + 4] = rng.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f")
                )
            case _:
                broken[at:at] = rng.randbytes(rng.randrange(9))
    return bytes(broken)


class _Silent:
    """A transcript that keeps nothing."""

    def exchange(self, question: Frame, answer: Frame) -> None:
        """Nothing."""

    def capture(self, output: bytes) -> None:
        """Nothing."""


@dataclasses.dataclass
class Found:
    """What a phase saw."""

    frames: int = 0
    wrong: list[str] = dataclasses.field(default_factory=list)
    passed: int = 0
    failed: int = 0
    lies: int = 0

    def add(self, other: Found) -> None:
        """Take in what another process saw."""
        self.frames += other.frames
        self.wrong += other.wrong
        self.passed += other.passed
        self.failed += other.failed
        self.lies += other.lies


def fuzz_runner(frames: int, rng: random.Random) -> tuple[Found, int]:
    """Run suites against the hostile runner until so many frames were answered.

    Returns:
        What was found, and the judge's peak memory in MiB.
    """
    found, runs = Found(), 0
    with tempfile.TemporaryDirectory() as folder:
        relay_module.GRACE_SECONDS = 0.03  # here both ends are on one machine
        judge = Judge(Path(folder))
        while found.frames < frames:
            runs += 1
            _one_run(judge, rng, found, runs)
        return found, judge.close()


def fuzz_runners(frames: int, seed: int, jobs: int) -> tuple[Found, int]:
    """`fuzz_runner` in several processes, which wait most of the time; tells how far they are.

    Returns:
        What was found, and the largest peak of a judge's memory in MiB.
    """
    share = min(20_000, -(-frames // jobs))
    found, memory = Found(), 0
    with ProcessPoolExecutor(jobs) as pool:
        rngs = [random.Random(f"{seed} {n}") for n in range(-(-frames // share))]  # noqa: S311 - noise
        for done in as_completed([pool.submit(fuzz_runner, share, rng) for rng in rngs]):
            part, peak = done.result()
            found.add(part)
            memory = max(memory, peak)
            sys.stderr.write(f"· {found.frames:,} of {frames:,} frames, {len(found.wrong)} wrong\n")
    return found, memory


def _one_run(judge: Judge, rng: random.Random, found: Found, number: int) -> None:
    lies: list[list[int]] = []  # the kinds of lies that each test met, filled as tests go by
    now: list[int] = []

    boxes: list[Runner] = []

    def box(_left: float = 0.0) -> Any:  # noqa: ANN401 - stands for a CandidateBox
        boxes.append(Runner(rng, now.append))
        return boxes[-1]

    def progress(done: int, total: int) -> None:
        del total
        if done:
            lies.append(now[:])
            now.clear()

    candidate: Any = LiveCandidate(
        box(),
        replace=box,
        limits=LIMITS,
        transcript=_Silent(),
        judge=judge,
        settle=lambda: None,  # type: ignore[arg-type]
    )
    judge.begin(f"{number:032x}")
    record = relay(judge, candidate, progress)  # type: ignore[arg-type]
    candidate.close()
    found.frames += sum(item.frames for item in boxes)
    if len(record.evidence) != TESTS:
        found.wrong.append(f"run {number}: {len(record.evidence)} verdicts of {TESTS}")
    for item, kinds in zip(record.evidence, lies, strict=True):
        ok = item["status"] == "passed"
        found.passed += ok
        found.failed += not ok
        found.lies += len(kinds)
        if ok and kinds:
            found.wrong.append(f"run {number}: {item['id']} passed after lies of kind {kinds}")


def honest_payloads() -> list[bytes]:
    """What is damaged: values of each kind, as they cross the wire."""
    import numpy as np  # noqa: PLC0415 - only here
    import pandas as pd  # noqa: PLC0415

    frame = pd.DataFrame(
        {"a": [1.0, None, 3.0], "b": ["x", None, "z"], "c": pd.date_range("2020", periods=3)}
    )
    honest: list[object] = [
        ("value", 3), ("value", [1, 2.5, "a", None, {"k": (1, 2)}]), ("value", frame),
        ("value", np.arange(6.0).reshape(2, 3)), ("error", "ValueError", ["ValueError"], "m", ""),
        ("value", frame["b"].astype("category")), ("value", {1, 2, 3}),
    ]  # fmt: skip
    return [codec.encode(value) for value in honest]


def fuzz_payloads(count: int, rng: random.Random) -> Found:
    """Decode damaged payloads: a value that can be written again, or a DecodeError."""
    payloads = honest_payloads()
    found = Found()
    for _ in range(count):
        found.frames += 1
        data = damaged(rng.choice(payloads), rng)
        try:
            value = codec.decode(data, max_items=1 << 16)
            codec.encode(value)
            found.passed += 1
        except codec.DecodeError:
            found.failed += 1
        except Exception as error:  # noqa: BLE001 - exactly what must not happen
            found.wrong.append(f"{type(error).__name__} for {data.hex()[:200]}")
    return found


def fuzz_coverage(seconds: int) -> int:
    """Let atheris steer the decoder for some time, in a process of its own."""
    if importlib.util.find_spec("atheris") is None:
        raise SystemExit("--coverage needs atheris: see requirements/fuzz.txt")
    code = textwrap.dedent(
        """
        import sys, atheris
        with atheris.instrument_imports(include=["grader.wire"]):
            from grader.wire import _tags, codec
        def one(data):
            try:
                codec.encode(codec.decode(bytes([_tags.VERSION]) + data, max_items=1 << 14))
            except codec.DecodeError:
                pass
        atheris.Setup(sys.argv, one)
        atheris.Fuzz()
        """
    )
    command = [sys.executable, "-c", code, f"-max_total_time={seconds}", "-rss_limit_mb=2048"]
    command += ["-timeout=10", "-max_len=4096", "-verbosity=0", "-print_final_stats=1"]
    with tempfile.TemporaryDirectory() as corpus:
        for number, payload in enumerate(honest_payloads()):
            (Path(corpus) / str(number)).write_bytes(payload[1:])  # the version is put before it
        return subprocess.run([*command, corpus], check=False).returncode  # noqa: S603 - ours


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=1_000_000, metavar="N", help="of the runner")
    parser.add_argument(
        "--payloads", type=int, default=1_000_000, metavar="N", help="for the decoder"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, metavar="K", help="hostile runners at once")
    parser.add_argument("--coverage", type=int, default=0, metavar="SECONDS")
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311 - reproducible noise
    clock = time.perf_counter()
    payloads = fuzz_payloads(options.payloads, rng)
    print(
        f"payloads: {payloads.frames:,}, decoded {payloads.passed:,}, refused {payloads.failed:,}, "
        f"{len(payloads.wrong)} crashes; {time.perf_counter() - clock:.0f} s",
        flush=True,
    )
    clock = time.perf_counter()
    runner, memory = fuzz_runners(options.frames, options.seed, options.jobs)
    print(
        f"frames: {runner.frames:,}, {runner.lies:,} of them lies, tests passed "
        f"{runner.passed:,}, failed {runner.failed:,}, "
        f"{len(runner.wrong)} wrong verdicts, judge's peak {memory} MiB; "
        f"{time.perf_counter() - clock:.0f} s"
    )
    for line in (*payloads.wrong[:20], *runner.wrong[:20]):
        print(f"  {line}")
    bad = bool(payloads.wrong or runner.wrong or memory > MEMORY_MIB)
    if options.coverage:
        bad |= fuzz_coverage(options.coverage) != 0
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
