"""The types of ``report.json``, version ``report/2``: what is written, and the published schema.

A report is checked against them when it is written and when it is read. No key may be missing and
none may be unknown.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from grader.models import Band, Cause, Status

__all__ = ["SCHEMA", "Document", "check", "json_schema"]

SCHEMA = "report/2"

Id = Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,39}$")]
TestId = Annotated[str, Meta(min_length=1)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Version = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+){0,2}$")]
DisplayName = Annotated[str, Meta(pattern="^[A-Za-z0-9_][A-Za-z0-9._-]{0,59}$", max_length=60)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=0)]
OnFour = Annotated[float, Meta(ge=1, le=4)]
LevelName = Literal["poor", "okay", "strong", "excellent"]
Line = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,39}$")]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No unknown key."""


class Exercise(_Strict, frozen=True):
    """The exercise that was graded."""

    id: Id
    version: Version
    title: str


class File(_Strict, frozen=True):
    """One graded file; its size in bytes."""

    path: Annotated[str, Meta(min_length=1, max_length=240)]
    size: Count
    sha256: Digest


class Submission(_Strict, frozen=True):
    """What was graded, and what intake did to it."""

    name: DisplayName
    digest: Digest
    notes: list[str]
    files: list[File]


class Criterion(_Strict, frozen=True):
    """How many lines, checks or criteria were kept, of how many."""

    id: Id
    title: str
    passed: Count
    total: Count
    unit: Literal["lines", "checks", "criteria"]


class Indicator(_Strict, frozen=True):
    """One sentence for or against a level."""

    text: str
    positive: bool
    criterion: Id
    test_id: str
    detail: str


class Category(_Strict, frozen=True):
    """The level of one category; null where nothing measures it."""

    id: Id
    title: str
    assessed: bool
    level: Literal[1, 2, 3, 4] | None
    level_name: LevelName | None
    weight: Annotated[float, Meta(ge=0, le=1)]
    provisional: bool
    decided_by: str
    criteria: list[Criterion]
    indicators: list[Indicator]


class Profile(_Strict, frozen=True):
    """What a band asks for."""

    overall: OnFour
    levels: dict[Id, LevelName]


class Score(_Strict, frozen=True):
    """The score on 1-4 and the band for the seniority."""

    overall: OnFour
    band: Band
    seniority: Literal["junior", "mid", "senior", "principal"]
    meets: Profile
    exceeds: Profile
    headline: list[Line]
    missed: list[str]
    categories: Annotated[list[Category], Meta(min_length=1)]


class Measurement(_Strict, frozen=True):
    """A figure that a test recorded; null where it was not finite.

    ``better`` says which side of the threshold is good; ``near``: the value should be close to it.
    """

    name: str
    value: float | None
    unit: str
    threshold: float | None
    better: Literal["low", "high", "near"]


class Evidence(_Strict, frozen=True):
    """The verdict of one hidden test."""

    id: TestId
    criterion: Id
    title: str
    hint: str
    line: str
    status: Status
    cause: Cause
    message: str
    where: str
    calls: Count
    measurements: list[Measurement]
    remarks: list[str]


class FindingLine(_Strict, frozen=True):
    """A line of the candidate's findings."""

    line: Positive
    text: str


class Claim(_Strict, frozen=True):
    """What the candidate wrote about a criterion, beside its verdict."""

    criterion: Id
    title: str
    passed: bool
    lines: list[FindingLine]
    facts: list[str]


class CodeNote(_Strict, frozen=True):
    """A comment or a line of a docstring about the same."""

    path: str
    line: Positive
    text: str


class Findings(_Strict, frozen=True):
    """The candidate's findings; the text is null where the file is missing."""

    file: str
    text: str | None
    claims: list[Claim]
    notes: list[CodeNote]


class NotebookError(_Strict, frozen=True):
    """A cell that failed."""

    cell: Positive
    line: Count
    type: str
    message: str
    source: str


class Difference(_Strict, frozen=True):
    """A stored output that a fresh run does not give."""

    cell: Positive
    stored: str
    fresh: str


class Notebook(_Strict, frozen=True):
    """How a notebook ran from top to bottom."""

    path: str
    code_cells: Count
    text_cells: Count
    errors: list[NotebookError]
    stopped: str
    differences: list[Difference]
    figures: Count
    page: str


class Limits(_Strict, frozen=True):
    """What the candidate's container could use. Times are seconds, sizes bytes."""

    memory: Positive
    cpus: Annotated[float, Meta(gt=0)]
    pids: Positive
    wall_seconds: Seconds
    call_seconds: Seconds
    load_seconds: Seconds
    output_bytes: Positive
    reply_bytes: Positive
    scratch_bytes: Positive


class Environment(_Strict, frozen=True):
    """What the submission ran on; `packages` are those of the exercise beyond the base set."""

    python: str
    digest: Digest
    packages: dict[str, str]


class Run(_Strict, frozen=True):
    """What the score depends on besides the submission."""

    grader_version: str
    suite_digest: Digest
    scoring_digest: Digest
    seed_commitment: str
    judge_image: str
    candidate_image: str
    environment: Environment
    limits: Limits
    collected: Positive
    judge_notes: list[str]


class TestMoment(_Strict, frozen=True):
    """The time of one test, and its figures that differ from run to run."""

    test_id: TestId
    seconds: Seconds
    measurements: list[Measurement]


class Output(_Strict, frozen=True):
    """What a test of the submission printed."""

    test_id: str
    stdout: str
    stderr: str
    truncated: bool


class Machine(_Strict, frozen=True):
    """Where it was graded."""

    engine: str
    runtime: str
    warnings: list[str]


class Volatile(_Strict, frozen=True):
    """All that may differ between two runs of the same submission."""

    run_id: str
    started: str
    timings: dict[str, Seconds]
    tests: list[TestMoment]
    output: list[Output]
    machine: Machine


class Document(_Strict, frozen=True):
    """Report of one graded submission, version 2."""

    schema: Literal["report/2"]
    exercise: Exercise
    submission: Submission
    sheet: dict[Line, str]
    score: Score
    evidence: Annotated[list[Evidence], Meta(min_length=1)]
    findings: Findings | None
    notebook: Notebook | None
    run: Run
    volatile: Volatile


# msgspec looks into a type when it first meets it, and two threads that do so at once crash. So it
# happens here, once: several submissions are graded in threads.
msgspec.json.Decoder(Document)


def check(document: object) -> Document:
    """The document as typed objects.

    Args:
        document: JSON values.

    Raises:
        msgspec.ValidationError: it does not conform; the message names the place.
    """
    return msgspec.convert(document, Document)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``report/2``."""
    schema = msgspec.json.schema(Document)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
