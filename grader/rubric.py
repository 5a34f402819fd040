"""The rubric: evidence → criteria → levels → score. Pure, apart from reading its TOML file.

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
- Shares are compared as counts, so 0.9 of 10 tests is 9 tests whatever floating point says.
"""

from __future__ import annotations

import dataclasses
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
    FindingsRule,
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
    groups = _groups(top, criteria)
    tables = top.tables("category")
    categories = tuple(_category(table, criteria, groups) for table in tables)
    findings = _findings(top, criteria)
    optional = _optional(top, criteria)
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
    used |= {name for group in used & groups.keys() for name in groups[group]}
    for name in (*criteria, *groups):
        if name not in used:
            titles.fail(name, "no level refers to it; use it in a category or remove it")
    digest = hashlib.sha256(raw).hexdigest()
    return Rubric(categories, criteria, digest, groups, findings, optional)


def _optional(top: Table, criteria: Mapping[str, str]) -> frozenset[str]:
    if not top.has("optional"):
        return frozenset()
    names = top.texts("optional", _ID, "ids of criteria")
    for name in names:
        _known(top, "optional", name, tuple(criteria))
    return frozenset(names)


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


def _groups(top: Table, criteria: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    if not top.has("groups"):
        return {}
    table = top.table("groups")
    found = {}
    for name in table.keys():  # noqa: SIM118 - not a dict
        if name in criteria:
            table.fail(name, "is the name of a criterion; rename the group")
        found[name] = table.texts(name, _ID, "ids of criteria")
        if not found[name]:
            table.fail(name, "is empty; name its criteria")
        for member in found[name]:
            _known(table, name, member, tuple(criteria))
    return found


def _findings(top: Table, criteria: Mapping[str, str]) -> FindingsRule | None:
    if not top.has("findings"):
        return None
    table = top.table("findings")
    file = table.text("file", r"[A-Za-z0-9_.-]{1,80}", 'a file name such as "FINDINGS.md"')
    inner = table.table("words")
    words = {}
    for name in inner.keys():  # noqa: SIM118 - not a dict
        _known(inner, name, name, tuple(criteria))
        words[name] = inner.texts(name, r"[^A-Z\n]{2,40}", "lower-case beginnings of words")
    table.finish()
    return FindingsRule(file, words)


def _category(
    table: Table, criteria: Iterable[str], groups: Mapping[str, tuple[str, ...]]
) -> CategoryRule:
    known = (*criteria, *groups)
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
            _known(levels, key, name, known)
    for name in needs:
        _known(table, "needs", name, known)
    for higher, lower in pairwise(rules):
        whole = {m: 1.0 for name in groups if higher.shares.get(name) == 1 for m in groups[name]}
        for name, share in lower.shares.items():
            if max(higher.shares.get(name, 0.0), whole.get(name, 0.0)) < share:
                levels.fail(
                    higher.level.name.lower(),
                    f"asks less of {name!r} than {lower.level.name.lower()} does; "
                    f"ask for at least {share:g}",
                )
    return CategoryRule(category_id, title, weight, rules, needs, provisional)


def _known(table: Table, key: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        guess = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {guess[0]!r}?" if guess else "add it to [criteria]"
        table.fail(key, f"refers to the criterion {name!r}, which [criteria] lacks; {hint}")


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
    rubric = _applied(rubric, totals)
    passed = Counter(r.test.criterion for r in evidence if r.status is Status.PASSED)
    shares = {
        name: CriterionShare(name, title, passed[name], totals[name])
        for name, title in rubric.criteria.items()
    }
    for name, members in rubric.groups.items():
        whole = sum(shares[m].total > 0 and shares[m].passed == shares[m].total for m in members)
        shares[name] = CriterionShare(name, name, whole, len(members), "criteria")
    weights = _weights(rubric, totals)
    categories = tuple(
        _score_category(category, rubric, shares, evidence, weights.get(category.id))
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
