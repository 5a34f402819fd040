"""``rubric.toml`` as a typed `Rubric`: criteria, groups, categories with their levels."""

from __future__ import annotations

import difflib
import hashlib
import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from grader.exercise.toml import Table, read_table
from grader.models import CategoryRule, FindingsRule, Level, LevelRule, Rubric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["PROVISIONAL_WEIGHT", "load_rubric"]

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
    code = table.texts("code", r"[^A-Z\n]{2,40}", "lower-case beginnings of words")
    table.finish()
    return FindingsRule(file, words, code)


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
