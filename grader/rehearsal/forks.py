"""One process that has imported what hidden suites need, and forks for each labelled solution.

    python -m grader.rehearsal.forks JOBS SECONDS < jobs > ended

Each line of the input is a :class:`Task` as JSON. Its child runs the suite on the solution with
:class:`~grader.rehearsal.channel.ProcessChannel`, lets the analyst read the solution, and
writes both results to a file. Each line of the output is ``{"number": …, "ended": …}``: empty when
the result is there, else what became of the child. A child that takes longer than SECONDS is
killed.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import resource
import signal
import sys
import time
import traceback
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

from grader.analyst.analysis import analyse, collected, contract_of
from grader.candidate import runner
from grader.judge.plugin import Judge
from grader.judge.server import _import_ahead as import_ahead
from grader.rehearsal.channel import ProcessChannel

__all__ = ["Task", "main"]

_OPTIONS = (
    *("--assert=plain", "--tb=native", "-q", "--strict-markers", "-W", "ignore"),
    *("-p", "no:cacheprovider", "-p", "grader.judge.plugin", "--no-header", "--capture=no"),
)
_OUTPUT = 20_000
_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Task:
    """One grading.

    Attributes:
        suite: the folder of the hidden tests.
        submission: the folder with what the candidate would hand in.
        meta: the contract in the analyst's terms.
        preload: modules that are there before any submission is loaded.
        may_fail: tests and criteria; every such test is run.
        share: of the other tests one in so many is run.
        result: where to write what came out.
        service: the web application and the stand-ins, as the header of a submission tells them.
    """

    number: int
    name: str
    suite: str
    submission: str
    meta: dict[str, Any]
    preload: list[str]
    packages: list[str]
    seed: str
    call_ms: int
    load_ms: int
    reply_bytes: int
    may_fail: list[str]
    share: int
    result: str
    service: dict[str, Any] = field(default_factory=dict)


class _Plugin:
    """Registers the judge under the name that fixtures look it up by, and chooses tests."""

    def __init__(self, judge: Judge, task: Task) -> None:
        self._judge = judge
        self._task = task
        self.left_out: list[dict[str, str]] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Register it."""
        config.pluginmanager.register(self._judge, "grader-judge")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what may fail, and one in `share` of the other tests."""
        kept = []
        for item in items:
            marker = item.get_closest_marker("criterion")
            criterion = str(marker.args[0]) if marker and marker.args else ""
            if self._wanted(item.nodeid, criterion):
                kept.append(item)
            else:
                line = str(marker.kwargs.get("sheet", "")) if marker else ""
                self.left_out.append({"id": item.nodeid, "criterion": criterion, "line": line})
        items[:] = kept

    def _wanted(self, test: str, criterion: str) -> bool:
        task = self._task
        if test in task.may_fail or criterion in task.may_fail or not criterion:
            return True
        return zlib.crc32(f"{task.name} {test}".encode()) % task.share == 0


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def grade(task: Task) -> dict[str, Any]:
    """Run the suite and the static checks on one solution, in this process.

    Returns:
        ``tests`` and ``evidence`` as the judge and the analyst tell them, tests that were
        ``left_out``, ``faults``, and the CPU seconds of this process and of its children.
    """
    suite, files = Path(task.suite), _files(Path(task.submission))
    config = runner.LoadConfig(
        entry=task.meta["entry"],
        functions=tuple(task.meta["names"]),
        packages=tuple(task.packages),
        reply_bytes=task.reply_bytes,
        app=runner.AppConfig.from_meta(task.service.get("app")),
        stand_ins=runner.StandInConfig.all_from_meta(task.service.get("stand_ins")),
    )
    told: dict[str, list[dict[str, Any]]] = {"collected": [], "evidence": []}
    channel = ProcessChannel(files, config, call_ms=task.call_ms, load_ms=task.load_ms)
    judge = Judge(channel, task.seed, tell=lambda kind, item: told[kind].append(item))
    plugin = _Plugin(judge, task)
    os.chdir(suite)
    output = io.StringIO()
    options = [f"-c{suite / 'pytest.ini'}", f"--rootdir={suite}", *_OPTIONS, str(suite)]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = pytest.main(options, plugins=[plugin])
    channel.close()
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        judge.faults.append(f"pytest ended with {code!r}: {output.getvalue()[-_OUTPUT:]}")
    read = {
        path: data if path.endswith(".py") else b""
        for path, data in files.items()
        if path.endswith((".py", ".pyc", ".so", ".pyd"))
    }
    static = analyse(read, contract_of(task.meta))
    return {
        "tests": [test for record in told["collected"] for test in record["tests"]],
        "evidence": told["evidence"],
        "left_out": plugin.left_out,
        "faults": judge.faults,
        "static_tests": collected(),
        "static_evidence": static,
        "cpu": [sum(resource.getrusage(who)[:2]) for who in _WHO],
    }


def _child(task: Task) -> NoReturn:
    code = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        found = grade(task)
        target = Path(task.result)
        draft = target.with_suffix(".new")
        draft.write_text(json.dumps(found), encoding="utf-8")
        draft.replace(target)
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, this says why there is no result
        sys.stderr.write(traceback.format_exc()[-_OUTPUT:])
    finally:
        sys.stderr.flush()
        os._exit(code)


def _ended(running: dict[int, tuple[Task, float]], seconds: float) -> list[tuple[int, str]]:
    """Numbers of the tasks whose child ended, and what became of it."""
    found = []
    for pid, (task, started) in list(running.items()):
        late = time.monotonic() - started > seconds
        if late:
            os.kill(pid, signal.SIGKILL)
        done, status = os.waitpid(pid, 0 if late else os.WNOHANG)
        if not done:
            continue
        del running[pid]
        code = os.waitstatus_to_exitcode(status)
        why = f"took longer than {seconds:.0f} s" if late else f"ended with {code}" if code else ""
        found.append((task.number, why))
    return found


def main(argv: list[str]) -> int:
    """Run from the command line."""
    jobs, seconds = int(argv[0]), float(argv[1])
    tasks = [Task(**json.loads(line)) for line in sys.stdin]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True
    runner.warm_up()
    for name in sorted({name for task in tasks for name in task.preload}):
        importlib.import_module(name)
    for suite in sorted({task.suite for task in tasks}):
        import_ahead(_files(Path(suite)))
    running: dict[int, tuple[Task, float]] = {}
    waiting = iter(tasks)
    try:
        while True:
            while len(running) < jobs and (task := next(waiting, None)):
                pid = os.fork()
                if pid == 0:
                    _child(task)
                running[pid] = (task, time.monotonic())
            if not running:
                return 0
            for number, why in _ended(running, seconds):
                sys.stdout.write(json.dumps({"number": number, "ended": why}) + "\n")
                sys.stdout.flush()
            time.sleep(_POLL_SECONDS)
    finally:
        for pid in running:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
