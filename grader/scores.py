"""The nouns of a score: shares of criteria, levels and what people decided on them, the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.models import Band, Level

__all__ = ["CategoryScore", "CriterionShare", "Indicator", "LevelDecision", "ScoreCard"]


@dataclass(frozen=True, slots=True)
class CriterionShare:
    """How much of a criterion is kept.

    Attributes:
        passed: lines of the task sheet of which every test passed. A test without a line counts
            as a line of its own; a group counts criteria that passed whole.
        total: the same, all of them.
        unit: ``lines``, ``checks`` or ``criteria``.
    """

    id: str
    title: str
    passed: int
    total: int
    unit: str = "checks"

    @property
    def share(self) -> float:
        """Passed over total, 0.0 for a criterion without tests."""
        return self.passed / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Indicator:
    """One sentence of evidence for or against a level, with the test that it comes from.

    Attributes:
        detail: what was expected and seen; may quote the candidate.
    """

    text: str
    positive: bool
    criterion: str
    test_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LevelDecision:
    """What people decided on a category's level, beside the machine's.

    Attributes:
        level: theirs.
        machine: the machine's; None where it has none.
        how: ``confirmed``, ``overruled``, ``scored`` or ``settled``.
        by: who claims to have decided.
        at: when, ISO 8601 in UTC.
        reason: theirs; empty where none was asked for, or where it was deleted.
        counts: False for a stale one: it was about another run or rubric, and the machine's counts.
        disputed: reviewers differ, and nobody has settled it.
    """

    level: Level
    machine: Level | None
    how: str
    by: str
    at: str
    reason: str = ""
    counts: bool = True
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """The level of one category and what decided it.

    Attributes:
        level: the one that counts.
        assessed: False when no evidence exists for it yet; it then has no weight.
        decided_by: one sentence that names the rule that was reached and the one that was not.
        decision: what people decided, if they did.
    """

    id: str
    title: str
    weight: float
    level: Level
    assessed: bool
    provisional: bool
    decided_by: str
    criteria: tuple[CriterionShare, ...]
    indicators: tuple[Indicator, ...]
    decision: LevelDecision | None = None

    @property
    def machine_level(self) -> Level | None:
        """The machine's level, whichever counts; None where it has none."""
        if self.decision is not None:
            return self.decision.machine
        return self.level if self.assessed else None


@dataclass(frozen=True, slots=True)
class ScoreCard:
    """The rubric applied to one run's evidence.

    Attributes:
        overall: 1.0-4.0, weighted mean over the assessed categories.
        missed: what the next higher band asks for and the submission lacks, one phrase each.
    """

    categories: tuple[CategoryScore, ...]
    overall: float
    band: Band
    seniority: str
    missed: tuple[str, ...] = ()
