"""Run a hidden suite on the mutants of correct solutions, in the author mode.

Each solution is run twice first: for its verdicts and times, and for the lines that each test
reaches. A mutant then has the tests that reach its lines, those that ask least first: a test that
runs none of the changed code answers as it did. The order hangs on questions and sizes, never on
times, so that the same suite and seed give the same result.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from grader.authoring.labelled import stage
from grader.authoring.mutation.mutants import mutants_of
from grader.errors import ExerciseError, JudgeError
from grader.exercise.service import service_meta
from grader.exercise.suite import load_suite
from grader.record.seeds import run_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from grader.authoring.labels import Case
    from grader.authoring.mutation.mutants import Mutant
    from grader.models import Exercise

__all__ = ["Crew", "Result", "Study", "Test", "study"]

TIMES = 5.0  # the reference's time for a test, after which a mutant has failed it
LEAST_SECONDS = 5.0  # … but no less than this: a busy machine kills no mutant
_CALL = 100_000  # a question costs as much as so many bytes
_PROGRAM = ("-m", "grader.rehearsal.mutants")
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Test:
    """A hidden test, and what it does on one solution.

    Attributes:
        cost: of questions and answers, in bytes.
        seconds: that it took.
        lines: those that it reaches, as (path, line).
    """

    id: str
    criterion: str
    line: str
    title: str
    cost: int
    seconds: float
    lines: frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Result:
    """What came of one mutant.

    Attributes:
        passed: tests that it passed.
        failed: tests that it failed; one at most where the rest was left out then.
        late: whether all of `failed` ended by the time limit.
        reached: whether any test reaches the changed code.
        broken: what ended the judge's process, where that happened; it counts as a failed test.
    """

    mutant: Mutant
    passed: frozenset[str]
    failed: tuple[str, ...]
    late: bool
    reached: bool
    broken: str = ""

    @property
    def killed(self) -> bool:
        """Whether the suite tells it from the original."""
        return bool(self.failed or self.broken)


@dataclass(frozen=True)
class Study:
    """All mutants of one solution."""

    case: Case
    tests: tuple[Test, ...]
    results: tuple[Result, ...]


class Crew:
    """Processes that run trials, each for itself.

    Args:
        exercise: whose hidden tests.
        seed: of a run, 32 hexadecimal digits.
        jobs: how many processes.
    """

    def __init__(self, exercise: Exercise, seed: str, jobs: int) -> None:
        self._exercise = exercise
        self._seed = run_seed(seed, exercise.id, exercise.version)
        self._jobs = jobs
        self._folder = tempfile.TemporaryDirectory(prefix="mutants-")
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._all: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        below = Path(self._folder.name)
        suite = below / "suite"
        for name, data in load_suite(self._exercise.hidden_dir).files.items():
            path = suite / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (suite / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        settings = below / "settings.json"
        settings.write_text(json.dumps(self._settings(suite)), encoding="utf-8")
        for _ in range(self._jobs):
            process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, *_PROGRAM, str(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **_ENVIRONMENT},
            )
            self._all.append(process)
            self._idle.put(process)
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._all:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self._folder.cleanup()

    def staged(self, case: Case) -> Path:
        """The files of a labelled solution in a folder of their own."""
        return stage(case, Path(self._folder.name) / "submissions")

    def run(
        self, trials: Sequence[Mapping[str, object]], told: Callable[[int], None] = lambda _: None
    ) -> list[dict[str, Any]]:
        """What came of each :class:`grader.rehearsal.mutants.Trial`, in their order.

        Raises:
            JudgeError: a process of it ended.
        """
        with ThreadPoolExecutor(self._jobs) as pool:
            futures = [pool.submit(self._one, trial) for trial in trials]
            found = []
            try:
                for number, future in enumerate(futures, 1):
                    found.append(future.result())
                    told(number)
            finally:
                for future in futures:
                    future.cancel()
            return found

    def _one(self, trial: Mapping[str, object]) -> dict[str, Any]:
        process = self._idle.get()
        try:
            if process.stdin is None or process.stdout is None:
                raise JudgeError("the author mode has no pipes")
            process.stdin.write(f"{json.dumps(trial)}\n".encode())
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        finally:
            self._idle.put(process)
        if not line:
            raise JudgeError(
                f"the author mode ended with {process.wait()}; its words are above. If a package "
                "is missing: pip install 'takehome-grader[author]'"
            )
        found: dict[str, Any] = json.loads(line)
        return found

    def _settings(self, suite: Path) -> dict[str, object]:
        exercise = self._exercise
        functions = exercise.functions
        return {
            "suite": str(suite),
            "meta": {
                "entry": exercise.entry,
                "names": [function.name for function in functions],
                "methods": {f.name: list(f.methods) for f in functions if f.methods},
                "service": exercise.app is not None,
            },
            "preload": list(exercise.preload),
            "packages": sorted(exercise.packages),
            "seed": self._seed,
            "call_ms": int(exercise.limits.call_seconds * 1000),
            "load_ms": int(exercise.limits.load_seconds * 1000),
            "reply_bytes": exercise.limits.reply_bytes,
            "service": service_meta(exercise),
        }


def study(
    crew: Crew,
    cases: Sequence[Case],
    *,
    every_test: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> list[Study]:
    """Make all mutants of some correct solutions and run the suite on each.

    Args:
        crew: the processes to run them in.
        cases: labelled solutions with modules.
        every_test: go on after the first test that fails.
        say: told how far it is.

    Raises:
        ExerciseError: a solution fails its own suite, the suite is flaky, or a file is no Python.
        JudgeError: the author mode ended.
    """
    folders = {case.name: crew.staged(case) for case in cases}
    bases = _bases(crew, cases, folders)
    planned: list[tuple[Case, Mutant, list[Test]]] = []
    for case, (tests, contract) in zip(cases, bases, strict=True):
        files = {
            path.relative_to(folders[case.name]).as_posix(): path.read_bytes()
            for path in sorted(folders[case.name].rglob("*.py"))
        }
        mutants = mutants_of(files, contract)
        say(f"{case.name}: {len(mutants)} mutants, {len(tests)} tests")
        planned += [(case, mutant, _tests_of(mutant, tests)) for mutant in mutants]
    trials = [
        {
            "folder": str(folders[case.name]),
            "changed": {mutant.path: mutant.content.decode("utf-8")},
            "tests": [test.id for test in tests],
            "limits": {test.id: max(TIMES * test.seconds, LEAST_SECONDS) for test in tests},
            "stop": not every_test,
            "trace": False,
        }
        for case, mutant, tests in planned
    ]

    def told(number: int) -> None:
        if number % 50 == 0 or number == len(trials):
            say(f"{number}/{len(trials)} mutants")

    answers = crew.run(trials, told)
    results: dict[str, list[Result]] = {case.name: [] for case in cases}
    for (case, mutant, tests), answer in zip(planned, answers, strict=True):
        results[case.name].append(_result(mutant, answer, reached=bool(tests)))
    return [
        Study(case, tuple(tests), tuple(results[case.name]))
        for case, (tests, _) in zip(cases, bases, strict=True)
    ]


def _result(mutant: Mutant, answer: Mapping[str, Any], *, reached: bool) -> Result:
    ran = answer.get("tests", [])
    failed = [test for test in ran if test["status"] != "passed"]
    return Result(
        mutant,
        frozenset(test["id"] for test in ran if test["status"] == "passed"),
        tuple(test["id"] for test in failed),
        bool(failed) and all(test["cause"] == "timeout" for test in failed),
        reached,
        answer["ended"],
    )


def _bases(
    crew: Crew, cases: Sequence[Case], folders: Mapping[str, Path]
) -> list[tuple[list[Test], dict[str, frozenset[int]]]]:
    """Tests and reached lines of each solution; each passes its own suite, twice."""
    trials: list[dict[str, object]] = [
        {
            "folder": str(folders[case.name]),
            "changed": {},
            "tests": None,
            "limits": {},
            "stop": False,
            "trace": trace,
        }
        for case in cases
        for trace in (False, True)
    ]
    answers = crew.run(trials)
    found = []
    for case, plain, traced in zip(cases, answers[::2], answers[1::2], strict=True):
        where = f"{case.exercise}/{case.name}"
        for answer in (plain, traced):
            if answer["ended"] or answer["faults"]:
                raise ExerciseError(
                    f"{where}: the suite has a fault: {answer['ended'] or answer['faults'][0]}"
                )
        _hold_passed(where, plain["tests"])
        doubtful = [test["id"] for test in traced["tests"] if test["status"] != "passed"]
        if doubtful:  # tracing makes code slower, so that a measured cost may be too high
            again = {**trials[0], "folder": str(folders[case.name]), "tests": doubtful}
            _hold_the_same(where, crew.run([again])[0]["tests"])
        contract = {path: frozenset(lines) for path, lines in traced["contract"].items()}
        reached = {
            test["id"]: frozenset((path, line) for path, line in test["reached"])
            for test in traced["tests"]
        }
        tests = [
            Test(
                test["id"],
                test["criterion"],
                test["line"],
                test["title"],
                test["calls"] * _CALL + test["bytes"],
                test["seconds"],
                reached[test["id"]],
            )
            for test in plain["tests"]
        ]
        found.append((tests, contract))
    return found


def _hold_passed(where: str, tests: Iterable[Mapping[str, Any]]) -> None:
    for test in tests:
        if test["status"] != "passed":
            raise ExerciseError(
                f"{where} fails its own suite, so mutants of it say nothing: {test['id']}: "
                f"{test['message']}; correct the solution or the test"
            )


def _hold_the_same(where: str, tests: Iterable[Mapping[str, Any]]) -> None:
    for test in tests:
        if test["status"] != "passed":
            raise ExerciseError(
                f"{where}: {test['id']} passed in one run and failed in another with the same "
                f"seed: {test['message']}; take every random number from rng or rng_for, and "
                "compare no times"
            )


def _tests_of(mutant: Mutant, tests: Sequence[Test]) -> list[Test]:
    """The tests that could see a mutant, those that ask least first."""
    for lines in (mutant.lines, mutant.function):
        places = {(mutant.path, line) for line in lines}
        found = [test for test in tests if test.lines & places]
        if found:
            return sorted(found, key=lambda test: (test.cost, test.id))
    return []
