"""The nouns of the grader: frozen data classes and enumerations, no input or output."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from grader.contracts import AppContract, Environment, StandIn

__all__ = [
    "Band",
    "CategoryRule",
    "Cause",
    "Cell",
    "CollectedTest",
    "Evidence",
    "Exercise",
    "Expectation",
    "ExpectedFunction",
    "FindingsRule",
    "Level",
    "LevelRule",
    "Limits",
    "Measurement",
    "Notebook",
    "Output",
    "Profile",
    "Rubric",
    "Status",
    "Submission",
    "SubmissionFile",
]


class Level(enum.IntEnum):
    """A level of the hiring rubric."""

    POOR = 1
    OKAY = 2
    STRONG = 3
    EXCELLENT = 4


class Status(enum.StrEnum):
    """The verdict of one hidden test; there is no third state."""

    PASSED = "passed"
    FAILED = "failed"


class Cause(enum.StrEnum):
    """Why a hidden test failed."""

    NONE = "none"
    WRONG_VALUE = "wrong-value"
    CANDIDATE_ERROR = "candidate-error"
    LOAD_ERROR = "load-error"
    NO_RECORD = "no-record"
    SKIPPED = "skipped"
    TEST_ERROR = "test-error"
    DIED = "died"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    BAD_REPLY = "bad-reply"
    TOO_LARGE = "too-large"
    WALL_LIMIT = "wall-limit"
    FINDING = "finding"  # of a static check


class Band(enum.StrEnum):
    """How a submission compares with what a seniority is expected to reach."""

    BELOW = "below"
    MEETS = "meets"
    EXCEEDS = "exceeds"


Output = dict[str, object]
"""One output as nbformat 4 has it, reduced to what `grader.notebook.outputs` lets through."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        kind: ``code``, ``markdown`` or ``raw``.
        source: as the author wrote it.
        number: position among the code cells, from 1; what a fresh run shows as ``[n]``. 0 for
            other cells.
        plain: of a code cell, the Python that runs and that is reviewed: magics and shell escapes
            taken out, line by line, so that line numbers stay.
        timed: a magic of it asked for times, which are never twice the same.
        inert: marks and names of magics in it that do nothing here.
        count: the stored execution count.
        outputs: the stored outputs.
    """

    kind: str
    source: str
    number: int = 0
    plain: str = ""
    timed: bool = False
    inert: tuple[str, ...] = ()
    count: int | None = None
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook of a submission.

    Attributes:
        path: of its file in the submission.
        cells: all of them, in order.
        notes: what was repaired, left out or made inert, one sentence each.
    """

    path: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> tuple[Cell, ...]:
        """The code cells that hold anything."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    def for_candidate(self, cell_seconds: float) -> Mapping[str, object]:
        """What the candidate container gets: plain sources, and no metadata of the file's."""
        return {
            "path": self.path,
            "cells": [[cell.number, cell.plain] for cell in self.code],
            "cell_ms": int(cell_seconds * 1000),
        }


@dataclass(frozen=True, slots=True)
class SubmissionFile:
    """One regular file of a submission."""

    path: str  # relative, "/"-separated, checked
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission after intake: bytes in memory that were read once.

    Attributes:
        name: display name, made from the source's file name (letters, digits, ``._-``).
        digest: SHA-256 over all paths and bytes, hex.
        files: in path order; the common top folder of an archive is taken off.
        notes: what intake did that the reviewer should know (files left out, folder taken off).
        exercise_id: the exercise that the submission's own marker names, if any.
        notebook: what is graded in place of a module, once that is decided.
        sole: the name that the source had where it is one file and no archive.
    """

    name: str
    source: Path
    digest: str
    files: tuple[SubmissionFile, ...]
    notes: tuple[str, ...] = ()
    exercise_id: str | None = None
    notebook: Notebook | None = None
    sole: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a candidate's container may use. Times are seconds, sizes bytes."""

    memory: int
    cpus: float
    pids: int
    wall_seconds: float
    call_seconds: float
    load_seconds: float
    output_bytes: int
    reply_bytes: int
    scratch_bytes: int


@dataclass(frozen=True, slots=True)
class ExpectedFunction:
    """A name that the submission must define, and the parameters that it is called with."""

    name: str
    parameters: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()  # not empty for a class


@dataclass(frozen=True, slots=True)
class LevelRule:
    """A level and the share of passed tests that each criterion needs for it."""

    level: Level
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CategoryRule:
    """One category of the rubric.

    Attributes:
        rules: highest level first; the first whose every share is reached decides, else Poor.
        needs: ``{criterion: share}`` below which the category stays Poor whatever else holds.
        provisional: capped at Strong and marked until a reviewer confirms.
    """

    id: str
    title: str
    weight: float
    rules: tuple[LevelRule, ...]
    needs: Mapping[str, float] = field(default_factory=dict)
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class FindingsRule:
    """Where a candidate writes down what was found, and by which words it is found there again.

    Attributes:
        file: path in the submission.
        words: criterion → beginnings of words, lower case, that a line about it may hold.
        code: beginnings of words by which comments and docstrings are found as well.
    """

    file: str
    words: Mapping[str, tuple[str, ...]]
    code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rubric:
    """All categories, with the titles of the criteria that they refer to.

    Attributes:
        groups: name → criteria; its share is that of its criteria all of whose tests passed.
        findings: for the reviewer's eyes only; it moves no level.
        optional: criteria that only some submissions have tests for; rules ask nothing of the
            others about them.
    """

    categories: tuple[CategoryRule, ...]
    criteria: Mapping[str, str]  # id → title
    digest: str  # SHA-256 of the file's bytes, hex
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    findings: FindingsRule | None = None
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Profile:
    """What a band asks for: an overall score on 1-4 and a level for each category that matters."""

    overall: float
    levels: Mapping[str, Level] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a seniority is expected to reach.

    Attributes:
        headline: lines of the task sheet that name the exercise's headline defects. A submission
            that breaks one of them does not meet the expectation, whatever its score.
    """

    seniority: str
    meets: Profile
    exceeds: Profile
    headline: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise as its ``exercise.toml`` and ``rubric.toml`` describe it."""

    id: str
    version: str
    title: str
    minutes: int
    seniority: str
    entry: str  # e.g. "solution.py"
    functions: tuple[ExpectedFunction, ...]
    limits: Limits
    preload: tuple[str, ...]
    environment: Environment
    expectations: Mapping[str, Expectation]  # by seniority
    sheet: Mapping[str, str]  # line of the task sheet → its text
    rubric: Rubric
    scoring_digest: str  # SHA-256, hex, over rubric, expectations and task sheet
    public_dir: Path
    hidden_dir: Path
    app: AppContract | None = None
    stand_ins: tuple[StandIn, ...] = ()

    @property
    def packages(self) -> Mapping[str, str]:
        """What a submission can import, name → version text."""
        return self.environment.packages

    @property
    def expectation(self) -> Expectation:
        """What the seniority that the exercise is set for is expected to reach."""
        return self.expectations[self.seniority]


@dataclass(frozen=True, slots=True)
class CollectedTest:
    """A hidden test that the judge collected before the candidate started.

    Attributes:
        line: of the task sheet, which the test is about; empty for a check of another kind.
    """

    id: str
    criterion: str
    title: str
    hint: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure that a test recorded.

    Attributes:
        volatile: it differs from run to run, as times do.
        better: which side of the threshold is good: ``low``, ``high``, or ``near`` for a value that
            should be close to it.
    """

    name: str
    value: float
    unit: str
    threshold: float | None = None
    volatile: bool = False
    better: str = "low"

    @property
    def is_good(self) -> bool:
        """Whether it is on the good side of its threshold, as far as that can be said."""
        if self.threshold is None or self.better == "near":
            return True
        if self.better == "high":
            return self.value >= self.threshold
        return abs(self.value) <= self.threshold


@dataclass(frozen=True, slots=True)
class Evidence:
    """The verdict of one hidden test with what a reviewer needs to believe it.

    Attributes:
        remarks: the test's own words to the reviewer, such as why it is inconclusive.
    """

    test: CollectedTest
    status: Status
    cause: Cause = Cause.NONE
    message: str = ""
    where: str = ""
    calls: int = 0
    measurements: tuple[Measurement, ...] = ()
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0  # volatile
