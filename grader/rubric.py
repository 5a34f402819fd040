"""The rubric: evidence → criteria → levels → score. Pure, apart from reading its TOML file.

Rules that are fixed here, not in TOML:

- A category none of whose own criteria has a test is *not assessed*: it carries no weight, and the
  others share its weight in proportion. It never counts as full or as zero.
- In an assessed category, a criterion without tests has share 0, so a rule that needs it cannot be
  reached. That is an author's mistake, which `check_suite` reports before anything is graded.
- A provisional category is capped at Strong, and provisional categories together at a tenth of
  the weight, also where the others share the weight of categories that are not assessed.
- Shares are compared as counts, so 0.9 of 10 tests is 9 tests whatever floating point says.
"""

from __future__ import annotations

import difflib
import hashlib
import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from grader._indicators import explain, indicators
from grader._toml import Table, read_table
from grader.errors import ExerciseError
from grader.models import (
    Band,
    CategoryRule,
    CategoryScore,
    CriterionShare,
    Level,
    LevelRule,
    Rubric,
    ScoreCard,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from grader.models import CollectedTest, Evidence

__all__ = ["PROVISIONAL_WEIGHT", "check_suite", "load_rubric", "score"]

PROVISIONAL_WEIGHT = 0.1

_ID = r"[a-z][a-z0-9_]{0,39}"
_LEVELS = {"excellent": Level.EXCELLENT, "strong": Level.STRONG, "okay": Level.OKAY}


def load_rubric(path: Path) -> Rubric:
    """Read a ``rubric.toml``.

    Raises:
        ExerciseError: the file is wrong; the message names file, key and fix.
    """
    top, raw = read_table(path)
    titles = top.table("criteria")
    criteria = {}
    for name in titles.keys():  # noqa: SIM118 - not a dict
        criteria[name] = titles.text(name, r"[^\n]{1,120}", "a title of at most 120 characters")
    tables = top.tables("category")
    categories = tuple(_category(table, criteria) for table in tables)
    top.finish()
    ids = [category.id for category in categories]
    for twice in (name for name, count in Counter(ids).items() if count > 1):
        top.fail("category", f"id {twice!r} is used twice; rename one")
    total = math.fsum(category.weight for category in categories)
    if not math.isclose(total, 1.0, abs_tol=1e-9):
        top.fail("category", f"the weights add up to {total:g}; make them add up to 1")
    provisional = math.fsum(c.weight for c in categories if c.provisional)
    if provisional > PROVISIONAL_WEIGHT + 1e-9:
        top.fail(
            "category", f"provisional weights add up to {provisional:g}; at most 0.1 is allowed"
        )
    used = {name for c in categories for rule in c.rules for name in rule.shares}
    for name in criteria:
        if name not in used:
            titles.fail(name, "no level refers to it; use it in a category or remove it")
    return Rubric(categories, criteria, hashlib.sha256(raw).hexdigest())


def _category(table: Table, criteria: Mapping[str, str]) -> CategoryRule:
    category_id = table.text("id", _ID, "a lower-case id such as code_correctness")
    title = category_id.replace("_", " ").capitalize()
    if table.has("title"):
        title = table.text("title", r"[^\n]{1,40}", "a title of at most 40 characters")
    weight = table.number("weight", 0.01, 1.0)
    provisional = table.flag("provisional", default=False)
    needs = table.shares("needs") if table.has("needs") else {}
    levels = table.table("levels")
    rules = tuple(LevelRule(level, levels.shares(name)) for name, level in _LEVELS.items())
    levels.finish()
    table.finish()
    for rule in rules:
        key = rule.level.name.lower()
        if not rule.shares:
            levels.fail(key, "is empty; name at least one criterion, or it would be free")
        for name in rule.shares:
            _known(levels, key, name, criteria)
    for name in needs:
        _known(table, "needs", name, criteria)
    for higher, lower in pairwise(rules):
        for name, share in lower.shares.items():
            if higher.shares.get(name, 0.0) < share:
                levels.fail(
                    higher.level.name.lower(),
                    f"asks less of {name!r} than {lower.level.name.lower()} does; "
                    f"ask for at least {share:g}",
                )
    return CategoryRule(category_id, title, weight, rules, needs, provisional)


def _known(table: Table, key: str, name: str, criteria: Mapping[str, str]) -> None:
    if name not in criteria:
        guess = difflib.get_close_matches(name, criteria, n=1)
        hint = f"did you mean {guess[0]!r}?" if guess else "add it to [criteria]"
        table.fail(key, f"refers to the criterion {name!r}, which [criteria] lacks; {hint}")


def check_suite(tests: Iterable[CollectedTest], rubric: Rubric) -> None:
    """Check that a collected suite can reach every level of every assessed category.

    Raises:
        ExerciseError: a test names a criterion that the rubric lacks, an assessed category has
            a criterion without tests, or no test counts towards a firm category.
    """
    counts = Counter(test.criterion for test in _checked(tests, rubric))
    if not any(_assessed(c, counts) and not c.provisional for c in rubric.categories):
        raise ExerciseError(
            "no hidden test counts towards a category that is not provisional; "
            "mark tests with @pytest.mark.criterion(...)"
        )
    for category in rubric.categories:
        if _assessed(category, counts):
            wanted = dict.fromkeys([*_own(category), *category.needs])
            if missing := [name for name in wanted if not counts[name]]:
                raise ExerciseError(
                    f"rubric.toml: category {category.id!r} needs {', '.join(missing)}, for which "
                    "there is no hidden test: those levels cannot be reached; add tests or "
                    "change the levels"
                )


def score(
    evidence: Sequence[Evidence],
    rubric: Rubric,
    *,
    seniority: str,
    expectations: Mapping[str, tuple[float, float]],
) -> ScoreCard:
    """Apply a rubric.

    Args:
        evidence: exactly one record for every collected test.
        rubric: the rubric of the exercise.
        seniority: a key of `expectations`.
        expectations: seniority → overall score from which it is met and exceeded.

    Raises:
        ExerciseError: evidence names an unknown criterion, a test occurs twice, or no test counts
            towards a category that is not provisional.
    """
    tests = [record.test for record in evidence]
    _checked(tests, rubric)
    totals = Counter(test.criterion for test in tests)
    passed = Counter(r.test.criterion for r in evidence if r.status is Status.PASSED)
    shares = {
        name: CriterionShare(name, title, passed[name], totals[name])
        for name, title in rubric.criteria.items()
    }
    weights = _weights(rubric, totals)
    categories = tuple(
        _score_category(category, shares, evidence, weights.get(category.id))
        for category in rubric.categories
    )
    mean = math.fsum(c.weight * c.level for c in categories if c.assessed)
    overall = min(4.0, max(1.0, round(mean, 6)))
    meets, exceeds = expectations[seniority]
    band = Band.EXCEEDS if overall >= exceeds else Band.MEETS if overall >= meets else Band.BELOW
    return ScoreCard(categories, overall, band, seniority)


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


def _own(category: CategoryRule) -> tuple[str, ...]:
    """The category's criteria, those that the lowest level asks for first."""
    return tuple(dict.fromkeys(n for rule in reversed(category.rules) for n in rule.shares))


def _assessed(category: CategoryRule, totals: Mapping[str, int]) -> bool:
    return any(totals[name] for name in _own(category))


def _weights(rubric: Rubric, totals: Mapping[str, int]) -> dict[str, float]:
    """The weight of each assessed category; together 1, provisional ones at most a tenth."""
    assessed = [c for c in rubric.categories if _assessed(c, totals)]
    firm = math.fsum(c.weight for c in assessed if not c.provisional)
    loose = math.fsum(c.weight for c in assessed if c.provisional)
    if not firm:
        raise ExerciseError("no hidden test counts towards a category that is not provisional")
    loose_share = min(loose / (firm + loose), PROVISIONAL_WEIGHT)
    return {
        c.id: c.weight / loose * loose_share
        if c.provisional
        else c.weight / firm * (1 - loose_share)
        for c in assessed
    }


def _reached(wanted: Mapping[str, float], shares: Mapping[str, CriterionShare]) -> bool:
    return all(
        shares[name].total and shares[name].passed >= share * shares[name].total - 1e-9
        for name, share in wanted.items()
    )


def _score_category(
    category: CategoryRule,
    shares: Mapping[str, CriterionShare],
    evidence: Sequence[Evidence],
    weight: float | None,
) -> CategoryScore:
    own = _own(category)
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
