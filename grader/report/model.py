"""What a report is made from, before it has a format."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.models import Evidence, Expectation, Limits, Submission
    from grader.notebook.facts import NotebookFacts
    from grader.scores import ScoreCard
    from grader.scoring.findings import Findings
    from grader.text import CandidateText

__all__ = ["Capture", "EnvironmentFacts", "FileFact", "Moment", "Report", "RunFacts", "file_facts"]


@dataclass(frozen=True, slots=True)
class FileFact:
    """One file that was graded."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Capture:
    """What the submission wrote to stdout and stderr during one test."""

    test_id: str
    stdout: CandidateText
    stderr: CandidateText
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """What a submission ran on.

    Attributes:
        python: such as ``"3.13"``.
        digest: SHA-256 over Python, base set and the exercise's lock, hex.
        packages: of the exercise beyond the base set, name → version.
    """

    python: str
    digest: str
    packages: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        own = [f"{name} {version}" for name, version in self.packages.items()]
        shown = ", ".join([*own[:3], f"{len(own) - 3} more"] if len(own) > 4 else own)  # noqa: PLR2004 - what fits a line
        return f"Python {self.python}" + (f" with {shown}" if own else "")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a verdict depends on besides the submission.

    Attributes:
        grader_version: of this package.
        suite_digest: SHA-256 over the hidden tests' files, hex.
        scoring_digest: SHA-256 over rubric, expectations and task sheet, hex.
        seed_commitment: a digest that binds the seed without revealing it.
        judge_image: id of the judge image.
        candidate_image: id of the candidate image.
        environment: its Python and packages.
        limits: what the candidate's container was allowed to use.
        collected: number of tests that were collected before the candidate started.
        judge_notes: remarks of the judge on the suite, without candidate text.
    """

    grader_version: str
    suite_digest: str
    scoring_digest: str
    seed_commitment: str
    judge_image: str
    candidate_image: str
    environment: EnvironmentFacts
    limits: Limits
    collected: int
    judge_notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """What differs between two runs of the same submission: times, the machine, partial output.

    Attributes:
        run_id: name of this run.
        started: ISO 8601 with offset.
        timings: step → seconds.
        engine: name and version of the container engine.
        runtime: name and version of the container runtime.
        warnings: hardening that this machine does not offer.
        captures: output of the submission; a killed test stops at a different line each time.
    """

    run_id: str
    started: str
    timings: Mapping[str, float] = field(default_factory=dict)
    engine: str = ""
    runtime: str = ""
    warnings: tuple[str, ...] = ()
    captures: tuple[Capture, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One graded run.

    Attributes:
        expectation: what the seniority is expected to reach.
        sheet: line of the task sheet → its text.
        evidence: one record for each collected test, in collection order.
        findings: the candidate's own words beside the machine's verdicts, where the exercise asks
            for them.
        notebook: how a notebook ran, where the submission is one.
        scorecard: the one that counts.
        machine: the machine's scorecard, where people decided on levels; None where it counts.
    """

    exercise_id: str
    exercise_version: str
    exercise_title: str
    submission_name: str
    submission_digest: str
    submission_notes: tuple[str, ...]
    files: tuple[FileFact, ...]
    scorecard: ScoreCard
    expectation: Expectation
    sheet: Mapping[str, str]
    evidence: tuple[Evidence, ...]
    run: RunFacts
    moment: Moment
    findings: Findings | None = None
    notebook: NotebookFacts | None = None
    machine: ScoreCard | None = None

    @property
    def machine_card(self) -> ScoreCard:
        """The machine's scorecard, whichever counts."""
        return self.machine or self.scorecard


def file_facts(submission: Submission) -> tuple[FileFact, ...]:
    """Path, size and digest of each file of a submission."""
    return tuple(
        FileFact(file.path, len(file.data), hashlib.sha256(file.data).hexdigest())
        for file in submission.files
    )
