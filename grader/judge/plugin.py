"""The pytest plugin that hidden suites run under.

It gives tests ``solution``, ``measure``, ``remark``, ``rng``, ``rng_for`` and ``criterion``, makes
Hypothesis deterministic, and turns each collected test into exactly one evidence record. In the
judge container :mod:`grader.judge.server` adds a :class:`Judge` by hand; ``pytest DIR --solution
FOLDER`` uses the same plugin in one plain process.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import pytest

from grader.judge import determinism
from grader.judge.errors import CandidateError, ChannelFailure, JudgeFault, SuiteFault
from grader.judge.proxy import Solution

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    import numpy as np

    from grader.judge.channel import Channel

__all__ = ["Judge", "Record"]

AUTHOR_SEED = "00" * 16
_MESSAGE = 4000
_CHARGED = "the check itself stopped after an answer, twice, so it counts as failed"
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")


class _SetupFailedError(Exception):
    """Carries what ended a fixture to pytest, which unwinds fixtures for an `Exception` only."""


@dataclass
class Record:
    """What one test gave, on its way to an evidence record."""

    measurements: list[dict[str, object]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    solution: Solution | None = None
    outcomes: dict[str, str] = field(default_factory=dict)
    error: BaseException | None = None
    notes: tuple[str, ...] = ()
    wall_ns: int = 0
    charged: bool = False


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of author mode."""
    group = parser.getgroup("grader", "hidden test suites")
    group.addoption("--solution", metavar="DIR", help="run the suite on the submission in DIR")
    group.addoption("--evidence", metavar="FILE", help="also write the records, one JSON a line")
    group.addoption(
        "--suite-seed", default=AUTHOR_SEED, metavar="HEX", help="128-bit seed of generated inputs"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and in author mode the judge."""
    config.addinivalue_line(
        "markers",
        "criterion(id, sheet='', hint=''): the rubric criterion that a hidden test counts for, the "
        "line of the task sheet that it is about, and all that a candidate is told when it fails",
    )
    folder = config.getoption("--solution")
    if folder:
        from grader.judge.local import (  # noqa: PLC0415 - not in the judge image
            LocalChannel,
            told_of,
        )

        if not (Path(folder) / "solution.py").is_file():
            raise pytest.UsageError(f"--solution {folder}: there is no solution.py in it")
        seed = config.getoption("--suite-seed")
        tell = _writer(config.getoption("--evidence"))
        suite = config.rootpath
        told = told_of(suite.parent.parent / "exercises" / suite.name)
        judge = Judge(LocalChannel(Path(folder), meta=told), seed, tell=tell)
        config.pluginmanager.register(judge, "grader-judge")


def _judge_of(request: pytest.FixtureRequest) -> Judge:
    judge = request.config.pluginmanager.get_plugin("grader-judge")
    if not isinstance(judge, Judge):
        pytest.fail("hidden tests need --solution DIR, or the sandbox", pytrace=False)
    return judge


@pytest.fixture
def solution(request: pytest.FixtureRequest) -> Iterator[Solution]:
    """The candidate's submission, in a process of its own for each test."""
    judge = _judge_of(request)
    proxy = Solution(judge.channel)
    judge.record(request.node.nodeid).solution = proxy
    yield proxy
    proxy.finish()


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Record a figure: ``measure(name, value, unit, threshold, better="low", volatile=False)``.

    ``better`` says which side of the threshold is good: ``low``, ``high``, or ``near``.
    """
    judge = _judge_of(request)

    def record(
        name: str,
        value: float,
        unit: str,
        threshold: float | None = None,
        *,
        better: Literal["low", "high", "near"] = "low",
        volatile: bool = False,
    ) -> None:
        judge.record(request.node.nodeid).measurements.append(
            {
                "name": name,
                "value": float(value),
                "unit": unit,
                "threshold": threshold,
                "volatile": volatile,
                "better": better,
            }
        )

    return record


@pytest.fixture
def remark(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tell the reviewer something beside the verdict: ``remark("Inconclusive: …")``."""
    judge = _judge_of(request)

    def record(text: str) -> None:
        judge.record(request.node.nodeid).remarks.append(text[:_MESSAGE])

    return record


@pytest.fixture
def rng_for(request: pytest.FixtureRequest) -> Callable[[str], np.random.Generator]:
    """Generators that tests share by name: ``rng_for("frame")`` is the same in each of them."""
    judge = _judge_of(request)
    return lambda purpose: determinism.generator(judge.seed, f"shared {purpose}")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator of the test's own: 128-bit key from the run's seed and the test's id."""
    judge = _judge_of(request)
    return determinism.generator(judge.seed, request.node.nodeid)


class Judge:
    """Collects, runs and records. One for each run of a suite.

    Args:
        channel: the way to the candidate.
        seed: the run's seed, 32 hexadecimal digits.
        tell: called with ``("collected" | "evidence", record)``.
        charge: a fault that follows an answer is that test's failure; it has come twice.
        charged: tests that fail without being run, because the judge did not survive them twice.

    Attributes:
        faults: of the judge's own.
        answered: test and fault, of those faults that followed an answer of the candidate's.
    """

    def __init__(
        self,
        channel: Channel,
        seed: str,
        tell: Callable[[str, dict[str, object]], None],
        *,
        charge: bool = False,
        charged: Iterable[str] = (),
    ) -> None:
        self.channel = channel
        self.seed = seed
        self.faults: list[str] = []
        self.answered: list[tuple[str, str]] = []
        self._charge = charge
        self._charged = frozenset(charged)
        self._tell = tell
        self._records: dict[str, Record] = {}
        self._tests: dict[str, dict[str, object]] = {}
        determinism.configure_hypothesis()

    def record(self, nodeid: str) -> Record:
        """The record of the running test."""
        return self._records.setdefault(nodeid, Record())

    # Hooks.

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Every test names its criterion and says in one line what holds."""
        for item in items:
            self._tests[item.nodeid] = self._describe(item)
            determinism.seed_item(item, self.seed)

    def pytest_collection_finish(self) -> None:
        """The denominator is fixed before the candidate is asked anything."""
        self._tell("collected", {"tests": list(self._tests.values())})

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A suite that cannot be collected is the judge's fault."""
        if report.failed:
            self.faults.append(f"collecting {report.nodeid}: {str(report.longrepr)[-_MESSAGE:]}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Once the run's time is up, what is left of the suite fails without being run.

        Its questions would not be answered, and preparing them takes the judge time as well.
        """
        over = self.channel.over
        if item.nodeid in self._charged:
            over = ChannelFailure("test-error", _CHARGED)
        if over is None:
            return None
        record = Record(outcomes={"setup": "failed"})
        verdict = self._verdict(item.nodeid, record, over)
        verdict["charged"] = item.nodeid in self._charged
        self._tell("evidence", {**self._tests[item.nodeid], **verdict})
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """Let pytest take down a fixture in which the candidate died, or the next test breaks."""
        if not hasattr(fixturedef.func, "guarded"):
            vars(fixturedef)["func"] = _guarded(fixturedef.func)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note how each phase ended; a latched failure wins over whatever the test made of it."""
        report = yield
        record = self.record(item.nodeid)
        if call.excinfo is not None and record.error is None:
            error = call.excinfo.value
            record.error = error.__cause__ if isinstance(error, _SetupFailedError) else error
            record.notes = tuple(getattr(record.error, "__notes__", ()))
        if record.solution is not None and record.solution.failure is not None:
            report.outcome = "failed"
        record.outcomes[call.when] = report.outcome
        record.wall_ns += int(call.duration * 1e9)
        return report

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Send the one record of a test."""
        record = self._records.pop(nodeid, Record())
        self._tell("evidence", {**self._tests[nodeid], **self._verdict(nodeid, record)})

    # The verdict.

    def _describe(self, item: pytest.Item) -> dict[str, object]:
        marker = item.get_closest_marker("criterion")
        doc = (getattr(getattr(item, "function", None), "__doc__", None) or "").strip()
        if marker is None or len(marker.args) != 1:
            self.faults.append(f"{item.nodeid}: no @pytest.mark.criterion(id, hint=...)")
        if not doc:
            self.faults.append(f"{item.nodeid}: no docstring, whose first line is its title")
        title = doc.splitlines()[0].rstrip(".") if doc else ""
        if title and (case := getattr(getattr(item, "callspec", None), "id", "")):
            title = f"{title} [{case}]"
        return {
            "id": item.nodeid,
            "criterion": str(marker.args[0]) if marker and marker.args else "",
            "title": title,
            "hint": str(marker.kwargs.get("hint", "")) if marker else "",
            "line": str(marker.kwargs.get("sheet", "")) if marker else "",
        }

    def _verdict(
        self, nodeid: str, record: Record, over: ChannelFailure | None = None
    ) -> dict[str, object]:
        if over is not None:
            cause, message, where = over.cause, over.detail, over.where
        else:
            cause, message, where = self._cause(nodeid, record)
        return {
            "status": "passed" if cause == "none" else "failed",
            "cause": cause,
            "message": _ADDRESS.sub("0x…", message)[:_MESSAGE],
            "where": where,
            "calls": record.solution.calls if record.solution else 0,
            "measurements": record.measurements,
            "remarks": record.remarks,
            "charged": record.charged,
            "wall_ns": record.wall_ns,
        }

    def _cause(self, nodeid: str, record: Record) -> tuple[str, str, str]:
        latch = record.solution.failure if record.solution else None
        error = record.error
        notes = "\n".join(record.notes)
        if latch is not None:
            return latch.cause, latch.detail, latch.where
        if isinstance(error, JudgeFault):
            heard = record.solution is not None and record.solution.heard
            heard = heard and not isinstance(error, SuiteFault)
            if heard and self._charge:
                record.charged = True
                return "test-error", f"{_CHARGED}: {error}", ""
            if heard:
                self.answered.append((nodeid, str(error)))
            else:
                self.faults.append(f"{nodeid}: {error}")
            return "test-error", str(error), ""
        if isinstance(error, CandidateError):
            return "candidate-error", _joined(str(error), notes), error.where
        if record.solution is None or not (record.solution.calls or record.solution.heard):
            # Nothing was asked, so nothing can have been answered wrongly: the test is broken.
            shown = f"{type(error).__name__}: {error}" if error else "it never called the solution"
            self.faults.append(f"{nodeid}: {shown}")
            return "test-error", shown, ""
        if isinstance(error, AssertionError):
            return "wrong-value", _joined(str(error), notes), ""
        if determinism.is_flaky(error):
            return "wrong-value", "the same input gave different answers", ""
        if "skipped" in record.outcomes.values():
            return "skipped", "the test was skipped, which counts as failed", ""
        if error is not None:
            # The test itself stumbled over an answer: failed, and flagged for the reviewer.
            text = f"the test raised {type(error).__name__}: {error}"
            return "test-error", _joined(text, notes), ""
        if set(record.outcomes.values()) == {"passed"} and record.outcomes.get("call"):
            return "none", "", ""
        return "no-record", "the test left no positive record", ""


def _guarded(fixture: Callable[..., Any]) -> Callable[..., Any]:
    """The same fixture, whose channel failures and faults are an `Exception` to pytest."""

    @contextmanager
    def carried() -> Iterator[None]:
        try:
            yield
        except (ChannelFailure, JudgeFault) as failure:
            raise _SetupFailedError from failure

    @functools.wraps(fixture)
    def function(*args: object, **kwargs: object) -> object:
        with carried():
            return fixture(*args, **kwargs)

    @functools.wraps(fixture)
    def generator(*args: object, **kwargs: object) -> Iterator[object]:
        with carried():
            yield from fixture(*args, **kwargs)

    guarded: Any = generator if inspect.isgeneratorfunction(fixture) else function
    guarded.guarded = True
    return cast("Callable[..., Any]", guarded)


def _writer(path: str | None) -> Callable[[str, dict[str, object]], None]:
    """What author mode does with the records."""
    if path is not None:
        Path(path).write_text("", encoding="utf-8")

    def tell(kind: str, record: dict[str, object]) -> None:
        if path is not None and kind == "evidence":
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(json.dumps(record, sort_keys=True) + "\n")

    return tell


def _joined(text: str, notes: str) -> str:
    return f"{text}\n{notes}" if notes else text
