"""Evidence → criteria → levels → score, by an exercise's rubric. Pure.

Rules that are fixed here, not in TOML:

- A category none of whose own criteria has a test is *not assessed*: it carries no weight, and the
  others share its weight in proportion. It never counts as full or as zero.
- In an assessed category, a criterion without tests has share 0, so a rule that needs it cannot be
  reached. That is an author's mistake, which `check_suite` reports before anything is graded.
- An optional criterion (one that only notebooks have tests for) is left out of every rule where it
  has no test, so that it moves no level of the other submissions.
- A provisional category is capped at Strong, and provisional categories together at a tenth of
  the weight, also where the others share the weight of categories that are not assessed.
- A group of criteria has the share of those that passed whole, however many tests each has.
- A criterion's share counts lines of the task sheet: a line is kept when all of the criterion's
  tests about it passed. A test without a line is a line of its own.
- A band is a profile: an overall score, a level for each category that it names, and, from mid
  on, no headline defect. A category that is not assessed is asked for nothing.
- Shares are compared as counts, so 0.9 of 10 tests is 9 tests whatever floating point says.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections import Counter
from typing import TYPE_CHECKING

from grader.errors import ExerciseError
from grader.exercise.rubric import PROVISIONAL_WEIGHT
from grader.models import Band, CategoryRule, Level, LevelRule, Rubric, Status
from grader.scores import CategoryScore, CriterionShare, ScoreCard
from grader.scoring.indicators import explain, indicators

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from grader.models import CollectedTest, Evidence, Expectation, Profile

__all__ = ["banded", "check_suite", "score", "shared_weights"]


def _applied(rubric: Rubric, totals: Mapping[str, int]) -> Rubric:
    """The rubric without the optional criteria that have no test here."""
    absent = {name for name in rubric.optional if not totals[name]}
    if not absent:
        return rubric
    categories = tuple(
        dataclasses.replace(
            category,
            rules=tuple(
                LevelRule(rule.level, _without(rule.shares, absent)) for rule in category.rules
            ),
            needs=_without(category.needs, absent),
        )
        for category in rubric.categories
    )
    criteria = {name: title for name, title in rubric.criteria.items() if name not in absent}
    return dataclasses.replace(rubric, categories=categories, criteria=criteria)


def _without(shares: Mapping[str, float], absent: set[str]) -> dict[str, float]:
    return {name: share for name, share in shares.items() if name not in absent}


def check_suite(tests: Iterable[CollectedTest], rubric: Rubric) -> None:
    """Check that a collected suite can reach every level of every assessed category.

    Raises:
        ExerciseError: a test names a criterion that the rubric lacks, an assessed category has
            a criterion without tests, or no test counts towards a firm category.
    """
    counts = Counter(test.criterion for test in _checked(tests, rubric))
    rubric = _applied(rubric, counts)
    if not any(_assessed(c, rubric, counts) and not c.provisional for c in rubric.categories):
        raise ExerciseError(
            "no hidden test counts towards a category that is not provisional; "
            "mark tests with @pytest.mark.criterion(...)"
        )
    for category in rubric.categories:
        if _assessed(category, rubric, counts):
            needed = _members(category.needs, rubric)
            wanted = dict.fromkeys([*_own(category, rubric), *needed])
            if missing := [name for name in wanted if not counts[name]]:
                raise ExerciseError(
                    f"rubric.toml: category {category.id!r} needs {', '.join(missing)}, for which "
                    "there is no hidden test: those levels cannot be reached; add tests or "
                    "change the levels"
                )


def score(
    evidence: Sequence[Evidence],
    rubric: Rubric,
    expectation: Expectation,
) -> ScoreCard:
    """Apply a rubric.

    Args:
        evidence: exactly one record for every collected test.
        rubric: the rubric of the exercise.
        expectation: what the seniority is expected to reach.

    Raises:
        ExerciseError: evidence names an unknown criterion, a test occurs twice, or no test counts
            towards a category that is not provisional.
    """
    tests = [record.test for record in evidence]
    _checked(tests, rubric)
    totals = Counter(test.criterion for test in tests)
    rubric = _applied(rubric, totals)
    shares = {name: _share(name, title, evidence) for name, title in rubric.criteria.items()}
    for name, members in rubric.groups.items():
        whole = sum(shares[m].total > 0 and shares[m].passed == shares[m].total for m in members)
        shares[name] = CriterionShare(name, name, whole, len(members), "criteria")
    weights = _weights(rubric, totals)
    categories = tuple(
        _score_category(category, rubric, shares, evidence, weights.get(category.id))
        for category in rubric.categories
    )
    return banded(categories, evidence, expectation)


def banded(
    categories: tuple[CategoryScore, ...],
    evidence: Sequence[Evidence],
    expectation: Expectation,
) -> ScoreCard:
    """Overall score and band of some levels.

    Args:
        categories: with levels, and weights that add up to 1 over the assessed ones.
        evidence: says which headline lines are broken.
        expectation: what the seniority is expected to reach.
    """
    mean = math.fsum(c.weight * c.level for c in categories if c.assessed)
    overall = min(4.0, max(1.0, round(mean, 6)))
    below = _lacking(expectation.meets, categories, overall)
    below += _headline(expectation, evidence)
    short = _lacking(expectation.exceeds, categories, overall)
    band = Band.BELOW if below else Band.MEETS if short else Band.EXCEEDS
    missed = tuple(below or short)
    return ScoreCard(categories, overall, band, expectation.seniority, missed)


def _share(name: str, title: str, evidence: Sequence[Evidence]) -> CriterionShare:
    kept: dict[str, bool] = {}
    for record in evidence:
        if record.test.criterion == name:
            line = record.test.line or record.test.id
            kept[line] = kept.get(line, True) and record.status is Status.PASSED
    lines = any(record.test.line for record in evidence if record.test.criterion == name)
    return CriterionShare(
        name, title, sum(kept.values()), len(kept), "lines" if lines else "checks"
    )


def _lacking(profile: Profile, categories: Sequence[CategoryScore], overall: float) -> list[str]:
    found = []
    if overall < profile.overall:
        found.append(f"a score of {profile.overall:g} (reached {overall:.2f})")
    by_id = {category.id: category for category in categories if category.assessed}
    for name, level in profile.levels.items():
        category = by_id.get(name)
        if category is not None and category.level < level:
            found.append(
                f"{level.name.capitalize()} in {category.title} (reached "
                f"{category.level.name.capitalize()})"
            )
    return found


def _headline(expectation: Expectation, evidence: Sequence[Evidence]) -> list[str]:
    broken = {r.test.line for r in evidence if r.status is not Status.PASSED}
    lines = [line for line in expectation.headline if line in broken]
    return [f"no headline defect (broken: {', '.join(lines)})"] if lines else []


def _checked(tests: Iterable[CollectedTest], rubric: Rubric) -> list[CollectedTest]:
    tests = list(tests)
    seen: set[str] = set()
    for test in tests:
        if test.id in seen:
            raise ExerciseError(f"the hidden test {test.id!r} is recorded twice")
        seen.add(test.id)
        if test.criterion not in rubric.criteria:
            guess = difflib.get_close_matches(test.criterion, rubric.criteria, n=1)
            hint = f"did you mean {guess[0]!r}?" if guess else "add it to [criteria]"
            raise ExerciseError(
                f"the hidden test {test.id!r} is marked with the criterion {test.criterion!r}, "
                f"which rubric.toml lacks; {hint}"
            )
    return tests


def _members(names: Iterable[str], rubric: Rubric) -> list[str]:
    """Criteria, with each group's in its place."""
    return [member for name in names for member in rubric.groups.get(name, (name,))]


def _own(category: CategoryRule, rubric: Rubric) -> tuple[str, ...]:
    """The category's criteria, those that the lowest level asks for first."""
    names = (n for rule in reversed(category.rules) for n in rule.shares)
    return tuple(dict.fromkeys(_members(names, rubric)))


def _assessed(category: CategoryRule, rubric: Rubric, totals: Mapping[str, int]) -> bool:
    return any(totals[name] for name in _own(category, rubric))


def _weights(rubric: Rubric, totals: Mapping[str, int]) -> dict[str, float]:
    """The weight of each assessed category; together 1, provisional ones at most a tenth."""
    assessed = [c for c in rubric.categories if _assessed(c, rubric, totals)]
    if not math.fsum(c.weight for c in assessed if not c.provisional):
        raise ExerciseError("no hidden test counts towards a category that is not provisional")
    return shared_weights([(c.id, c.weight, c.provisional) for c in assessed])


def shared_weights(categories: Iterable[tuple[str, float, bool]]) -> dict[str, float]:
    """Weights that add up to 1, of which provisional categories have a tenth at most.

    Args:
        categories: id, weight in the rubric, and whether it is provisional; one is firm.
    """
    items = list(categories)
    firm = math.fsum(weight for _, weight, provisional in items if not provisional)
    loose = math.fsum(weight for _, weight, provisional in items if provisional)
    loose_share = min(loose / (firm + loose), PROVISIONAL_WEIGHT)
    return {
        name: weight / loose * loose_share if provisional else weight / firm * (1 - loose_share)
        for name, weight, provisional in items
    }


def _reached(wanted: Mapping[str, float], shares: Mapping[str, CriterionShare]) -> bool:
    return all(
        shares[name].total and shares[name].passed >= share * shares[name].total - 1e-9
        for name, share in wanted.items()
    )


def _score_category(
    category: CategoryRule,
    rubric: Rubric,
    shares: Mapping[str, CriterionShare],
    evidence: Sequence[Evidence],
    weight: float | None,
) -> CategoryScore:
    own = _own(category, rubric)
    level = Level.POOR
    if weight is not None and _reached(category.needs, shares):
        reached = [rule.level for rule in category.rules if _reached(rule.shares, shares)]
        level = max(reached, default=Level.POOR)
    final = min(level, Level.STRONG) if category.provisional else level
    assessed = weight is not None
    return CategoryScore(
        id=category.id,
        title=category.title,
        weight=weight or 0.0,
        level=final,
        assessed=assessed,
        provisional=category.provisional,
        decided_by=explain(category, shares, level)
        if assessed
        else "Not assessed yet: no hidden test measures it, so it carries no weight.",
        criteria=tuple(shares[name] for name in own),
        indicators=indicators(own, shares, evidence) if assessed else (),
    )
