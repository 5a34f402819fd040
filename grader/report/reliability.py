"""Agreement over a whole board, and checks that reviewers overrule again and again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.decisions.agreement import Agreement, agreement
from grader.decisions.events import Kind
from grader.decisions.fold import standing
from grader.models import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from grader.decisions.events import Event
    from grader.models import CollectedTest, Evidence
    from grader.scores import ScoreCard

__all__ = ["Looked", "Overruled", "Reliability", "overruled", "reliability"]

_OFTEN = 3  # times
_SHARE = 0.5  # of the decided submissions on which the check failed


@dataclass(frozen=True, slots=True)
class Looked:
    """One submission with what people decided on it.

    Attributes:
        decisions: category → decisions that were not withdrawn, in order.
        run: digest of the present evidence.
        scoring: digest of the present scoring.
    """

    card: ScoreCard
    evidence: Sequence[Evidence]
    decisions: Mapping[str, Sequence[Event]]
    run: str
    scoring: str

    def opinions(self, category: str) -> dict[str, Event]:
        """Reviewer → last valid opinion of their own, settlements left out."""
        own = [e for e in self.decisions.get(category, ()) if e.kind is not Kind.ADJUDICATE]
        return dict(standing(own, self.run, self.scoring).opinions)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Agreement in one category of an exercise.

    Attributes:
        reviewers: with each other.
        machine: of each reviewer with the machine.
    """

    category: str
    title: str
    reviewers: Agreement
    machine: Agreement


@dataclass(frozen=True, slots=True)
class Overruled:
    """A check whose failures reviewers do not follow.

    Attributes:
        raised: submissions on which it failed and a reviewer raised its category.
        decided: submissions on which it failed and somebody decided on its category.
    """

    test: CollectedTest
    category: str
    raised: int
    decided: int


def reliability(looked: Sequence[Looked]) -> list[Reliability]:
    """Agreement by category, in the order of the rubric."""
    found = []
    titles = {c.id: c.title for item in looked for c in item.card.categories}
    for category, title in titles.items():
        people: list[tuple[int, ...]] = []
        machine: list[tuple[int, ...]] = []
        for item in looked:
            opinions = item.opinions(category)
            levels = tuple(opinions[name].level or 0 for name in sorted(opinions))
            people.append(levels)
            own = next((c for c in item.card.categories if c.id == category and c.assessed), None)
            if own is not None:
                machine += [(int(own.level), level) for level in levels]
        found.append(Reliability(category, title, agreement(people), agreement(machine)))
    return found


def overruled(looked: Iterable[Looked]) -> list[Overruled]:
    """Checks that failed on at least three submissions whose category was raised, most first."""
    raised: Counter[tuple[str, str]] = Counter()
    decided: Counter[tuple[str, str]] = Counter()
    tests: dict[str, CollectedTest] = {}
    for item in looked:
        failed = [r.test for r in item.evidence if r.status is not Status.PASSED]
        for category in item.card.categories:
            now = standing(item.decisions.get(category.id, ()), item.run, item.scoring).final
            if now is None or not category.assessed:
                continue
            criteria = {share.id for share in category.criteria}
            for test in (t for t in failed if t.criterion in criteria):
                tests[test.id] = test
                decided[test.id, category.id] += 1
                raised[test.id, category.id] += (now.level or 0) > category.level
    found = [
        Overruled(tests[name], category, raised[name, category], count)
        for (name, category), count in decided.items()
        if raised[name, category] >= _OFTEN and raised[name, category] >= _SHARE * count
    ]
    return sorted(found, key=lambda item: (-item.raised, item.test.id))
