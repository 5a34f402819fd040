"""One process that has collected a hidden suite, and forks for each mutant of a solution.

    python -m grader.rehearsal.mutants SETTINGS < trials > results

SETTINGS is a file with :class:`Settings` as JSON. Each line of the input is a :class:`Trial`, each
line of the output what came of it: ``tests`` in the order in which they were run, and for a trial
that is traced ``contract``, path → lines that the exercise's contract reaches. A fork costs some
milliseconds, where a new process would import pandas and collect the suite again.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from grader.analyst.analysis import contract_of
from grader.analyst.reach import reach
from grader.candidate import runner
from grader.judge.plugin import Judge
from grader.judge.server import _import_ahead as import_ahead
from grader.rehearsal.channel import ProcessChannel
from grader.rehearsal.forks import _OPTIONS as OPTIONS
from grader.rehearsal.forks import _files as files_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Settings", "Trial", "main"]

_GRACE_SECONDS = 120.0  # for the judge's own work, beyond what the tests of a trial may take
_OUTPUT = 20_000
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Settings:
    """What all trials have in common.

    Attributes:
        suite: the folder of the hidden tests, with a ``pytest.ini``.
        meta: the contract in the analyst's terms.
        preload: modules that are there before any submission is loaded.
        service: the web application and the stand-ins, as the header of a submission tells them.
    """

    suite: str
    meta: dict[str, Any]
    preload: list[str]
    packages: list[str]
    seed: str
    call_ms: int
    load_ms: int
    reply_bytes: int
    service: dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """One submission and the tests to run on it.

    Attributes:
        folder: the submission.
        changed: path → content that takes the place of the folder's.
        tests: their ids in order; None means all.
        limits: test → seconds after which it has failed; those without one have the exercise's.
        stop: leave the rest out after a test that failed.
        trace: note which lines each test reaches.
    """

    folder: str
    changed: dict[str, str]
    tests: list[str] | None
    limits: dict[str, float]
    stop: bool
    trace: bool


class _Trials:
    """The plugin that takes the place of pytest's loop over tests."""

    def __init__(self, settings: Settings, channel: ProcessChannel, output: int) -> None:
        self._settings = settings
        self._channel = channel
        self._output = output
        self._told: list[dict[str, Any]] = []
        self.judge = Judge(channel, settings.seed, tell=self._tell)
        self._result: dict[str, Any] = {}
        self._trial: Trial | None = None

    def _tell(self, kind: str, record: dict[str, Any]) -> None:
        if kind == "evidence":
            self._told.append(record)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Register the judge under the name that fixtures look it up by."""
        config.pluginmanager.register(self.judge, "grader-judge")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve trials until the end of the input."""
        if self.judge.faults:
            self._write({"ended": "\n".join(self.judge.faults)})
            return True
        items = {item.nodeid: item for item in session.items}
        for line in sys.stdin:
            trial = Trial(**json.loads(line))
            self._write(self._forked(trial, items))
        return True

    def _write(self, result: dict[str, Any]) -> None:
        data = f"{json.dumps(result)}\n".encode()
        while data:
            data = data[os.write(self._output, data) :]

    def _forked(self, trial: Trial, items: dict[str, pytest.Item]) -> dict[str, Any]:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            self._child(trial, items, writer)
        os.close(writer)
        longest = self._settings.call_ms / 1000
        chosen = trial.tests if trial.tests is not None else list(items)
        budget = sum(trial.limits.get(test, longest) for test in chosen) + _GRACE_SECONDS
        told = _read_all(reader, time.monotonic() + budget)
        os.close(reader)
        if told is None:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if told:
            found: dict[str, Any] = json.loads(told)
            return found
        self._channel.recover()
        if told is None:
            return {"ended": f"took longer than {budget:.0f} s"}
        return {"ended": f"the judge's process ended with {os.waitstatus_to_exitcode(status)}"}

    def _child(self, trial: Trial, items: dict[str, pytest.Item], writer: int) -> NoReturn:
        code = 1
        try:
            found = json.dumps(self._run(trial, items)).encode()
            while found:
                found = found[os.write(writer, found) :]
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, this says why there is no result
            sys.__stderr__.write(traceback.format_exc()[-_OUTPUT:])  # type: ignore[union-attr]
        finally:
            os._exit(code)

    def _run(self, trial: Trial, items: dict[str, pytest.Item]) -> dict[str, Any]:
        files = files_of(Path(trial.folder))
        files |= {path: text.encode("utf-8") for path, text in trial.changed.items()}
        self._channel.files = files
        contract: dict[str, list[int]] = {}
        if trial.trace:
            reached = reach(files, contract_of(self._settings.meta)).lines()
            contract = {path: sorted(lines) for path, lines in reached.items()}
        chosen = list(items.values()) if trial.tests is None else [items[t] for t in trial.tests]
        tests = []
        for item, following in itertools.zip_longest(chosen, chosen[1:]):
            tests.append(self._one(item, following, trial))
            if trial.stop and tests[-1]["status"] != "passed":
                break
        return {
            "ended": "",
            "tests": tests,
            "contract": contract,
            "faults": self.judge.faults,
        }

    def _one(
        self, item: pytest.Item, following: pytest.Item | None, trial: Trial
    ) -> dict[str, Any]:
        channel = self._channel
        channel.reached = set() if trial.trace else None
        channel.bytes = 0
        started = time.monotonic()
        limit = trial.limits.get(item.nodeid)
        if limit is not None:
            channel.until = started + limit
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        record = self._told[-1]
        return {
            "id": record["id"],
            "criterion": record["criterion"],
            "line": record["line"],
            "title": record["title"],
            "status": record["status"],
            "cause": record["cause"],
            "message": record["message"],
            "calls": record["calls"],
            "bytes": channel.bytes,
            "seconds": time.monotonic() - started,
            "reached": sorted(channel.reached or ()),
        }


def _read_all(descriptor: int, deadline: float) -> bytes | None:
    """Everything up to the end; None if that does not come in time."""
    parts: list[bytes] = []
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            return None
        part = os.read(descriptor, _CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)


def main(argv: Sequence[str]) -> int:
    """Run from the command line."""
    settings = Settings(**json.loads(Path(argv[0]).read_text(encoding="utf-8")))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    suite = Path(settings.suite)
    runner.warm_up()
    for name in settings.preload:
        importlib.import_module(name)
    import_ahead(files_of(suite))
    config = runner.LoadConfig(
        entry=settings.meta["entry"],
        functions=tuple(settings.meta["names"]),
        packages=tuple(settings.packages),
        reply_bytes=settings.reply_bytes,
        app=runner.AppConfig.from_meta(settings.service.get("app")),
        stand_ins=runner.StandInConfig.all_from_meta(settings.service.get("stand_ins")),
    )
    said = io.StringIO()
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        tempfile.tempdir = scratch
        channel = ProcessChannel({}, config, call_ms=settings.call_ms, load_ms=settings.load_ms)
        trials = _Trials(settings, channel, output)
        os.chdir(suite)
        options = [f"-c{suite / 'pytest.ini'}", f"--rootdir={suite}", *OPTIONS, str(suite)]
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = pytest.main(options, plugins=[trials])
        channel.close()
        tempfile.tempdir = None
    if code != pytest.ExitCode.OK:
        sys.stderr.write(f"pytest ended with {code!r}: {said.getvalue()[-_OUTPUT:]}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
