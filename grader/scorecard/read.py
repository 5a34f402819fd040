"""``scorecards/<id>/scorecard.toml`` and ``scorecards/competencies.toml`` as typed objects."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from grader.errors import UsageError
from grader.exercise.contract import SENIORITIES
from grader.exercise.toml import Table, read_table
from grader.scorecard.card import (
    Competencies,
    Competency,
    Expected,
    Goal,
    HumanCategory,
    Part,
    Role,
    Scorecard,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = [
    "CARD",
    "COMPETENCIES",
    "FOLDER",
    "load_competencies",
    "load_scorecard",
    "load_scorecards",
    "load_stage_weights",
]

FOLDER = "scorecards"
CARD = "scorecard.toml"
COMPETENCIES = "competencies.toml"
STAGES = "stages.toml"

_ID = r"[a-z][a-z0-9_]{0,39}"
_LINE = r"[^\n]{1,400}"
_LONGEST_DAY = 24 * 60


def load_scorecards(root: Path) -> dict[str, Scorecard]:
    """Every scorecard of a checkout or of a team's repository, by id; empty if it has none.

    Raises:
        ExerciseError: a file is wrong; the message names file, key and fix.
    """
    found = sorted((root / FOLDER).glob(f"*/{CARD}"))
    return {card.id: card for card in map(load_scorecard, found)}


def load_scorecard(path: Path) -> Scorecard:
    """Read one ``scorecard.toml``; its ``id`` is the name of its folder.

    Raises:
        ExerciseError: the file is wrong; the message names file, key and fix.
    """
    top, raw = read_table(path)
    name = top.text("id", _ID, "an id in lower case, such as system_design")
    if name != path.parent.name:
        top.fail("id", f"is {name!r} in the folder {path.parent.name!r}; make them the same")
    levels = _named(top, "levels")
    if not 2 <= len(levels) <= 6:  # noqa: PLR2004 - fewer decide nothing, more cannot be told apart
        top.fail("levels", f"has {len(levels)} levels; write 2 to 6, the lowest first")
    categories = tuple(_category(table, levels) for table in top.tables("category"))
    _distinct(top, "category", (category.id for category in categories))
    total = math.fsum(category.weight for category in categories)
    if not math.isclose(total, 1.0, abs_tol=1e-9):
        top.fail("category", f"the weights add up to {total:g}; make them add up to 1")
    parts = tuple(_part(table, categories) for table in top.tables("part"))
    _distinct(top, "part", (part.id for part in parts))
    roles = tuple(map(_role, top.tables("role"))) if top.has("role") else ()
    _distinct(top, "role", (role.id for role in roles))
    card = Scorecard(
        id=name,
        version=top.text("version", r"\d+(\.\d+){0,2}", 'a version such as "1.0"'),
        stage=top.text("stage", _ID, "the id of a stage, such as system_design"),
        title=top.text("title", r"[^\n]{1,80}", "a title of at most 80 characters"),
        purpose=top.prose("purpose"),
        panel=top.text("panel", r"[^\n]{1,120}", "who scores it, at most 120 characters"),
        minutes=_minutes(top),
        prepare_minutes=_whole(top, "prepare_minutes"),
        levels=levels,
        categories=categories,
        parts=parts,
        positive=_indicators(top, "positive"),
        negative=_indicators(top, "negative"),
        prepare=top.texts("prepare", _LINE, "lines of text"),
        ground_rules=top.texts("ground_rules", _LINE, "lines of text"),
        roles=roles,
        expectations=_expectations(top, categories, levels),
        digest=hashlib.sha256(raw).hexdigest(),
    )
    top.finish()
    if not card.minutes[1] >= sum(part.minutes for part in parts):
        taken = sum(part.minutes for part in parts)
        top.fail("part", f"the parts take {taken} minutes of {card.minutes[1]}; shorten one")
    return card


def load_competencies(path: Path) -> Competencies:
    """Read ``competencies.toml``: what each seniority does, by competency.

    Raises:
        ExerciseError: the file is wrong; the message names file, key and fix.
    """
    top, raw = read_table(path)
    rows = []
    for table in top.tables("competency"):
        by_seniority = {seniority: table.prose(seniority) for seniority in SENIORITIES}
        rows.append(
            Competency(
                id=table.text("id", _ID, "an id in lower case"),
                title=table.text("title", r"[^\n]{1,80}", "a title of at most 80 characters"),
                discipline=table.text("discipline", r"[^\n]{1,80}", "the name of a discipline"),
                by_seniority=by_seniority,
            )
        )
        table.finish()
    _distinct(top, "competency", (row.id for row in rows))
    top.finish()
    return Competencies(tuple(rows), hashlib.sha256(raw).hexdigest())


def load_stage_weights(root: Path, known: Iterable[str]) -> dict[str, float]:
    """What share each exercise and stage has of one mark over all; empty where nobody set it.

    It is read from ``scorecards/stages.toml``: ``[weights]``, with ids of exercises or of
    scorecards, which add up to 1. Without that file no number mixes stages.

    Args:
        root: the checkout or the team's repository.
        known: ids of the exercises and scorecards that there are.

    Raises:
        UsageError: a weight names what is not there.
        ExerciseError: the file is wrong.
    """
    path = root / FOLDER / STAGES
    if not path.is_file():
        return {}
    top, _ = read_table(path)
    weights = top.shares("weights")
    top.finish()
    there = sorted(set(known))
    for name in weights:
        if name not in there:
            raise UsageError(f"{path}: weights.{name}: there is no such exercise or scorecard")
    total = math.fsum(weights.values())
    if not math.isclose(total, 1.0, abs_tol=1e-9):
        top.fail("weights", f"they add up to {total:g}; make them add up to 1")
    return weights


def _named(table: Table, key: str) -> dict[str, str]:
    """A table of ``id = "text"`` in the order of the file."""
    inner = table.table(key)
    found = {}
    for name in inner.keys():  # noqa: SIM118 - not a dict
        if not re.fullmatch(_ID, name):
            inner.fail(name, "is no id; use lower-case letters, digits and _")
        found[name] = inner.text(name, _LINE, "a line of at most 400 characters")
    return found


def _indicators(table: Table, key: str) -> dict[str, str]:
    return _named(table, key) if table.has(key) else {}


def _category(table: Table, levels: Mapping[str, str]) -> HumanCategory:
    anchors = _named(table, "anchors")
    if list(anchors) != list(levels):
        wanted, written = ", ".join(levels), ", ".join(anchors) or "none"
        table.fail("anchors", f"has {written}; write one for each of {wanted}, in that order")
    made = HumanCategory(
        id=table.text("id", _ID, "an id in lower case"),
        title=table.text("title", r"[^\n]{1,80}", "a title of at most 80 characters"),
        weight=table.number("weight", 0.01, 1.0),
        anchors=anchors,
    )
    table.finish()
    return made


def _part(table: Table, categories: tuple[HumanCategory, ...]) -> Part:
    made = Part(
        id=table.text("id", _ID, "an id in lower case"),
        title=table.text("title", r"[^\n]{1,80}", "a title of at most 80 characters"),
        prompt=table.prose("prompt"),
        minutes=_whole(table, "minutes"),
        points=_named(table, "points") if table.has("points") else {},
        follow_ups=table.texts("follow_ups", _LINE, "lines of text"),
        informs=table.texts("informs", _ID, "ids of categories"),
    )
    ids = [category.id for category in categories]
    for name in made.informs:
        if name not in ids:
            table.fail("informs", f"{name!r} is no category; the card has {', '.join(ids)}")
    table.finish()
    return made


def _role(table: Table) -> Role:
    made = Role(
        id=table.text("id", _ID, "an id in lower case"),
        title=table.text("title", r"[^\n]{1,80}", "a title of at most 80 characters"),
        motivation=table.prose("motivation"),
        constraints=table.texts("constraints", _LINE, "lines of text"),
        tensions=table.texts("tensions", _LINE, "lines of text"),
        in_character=table.texts("in_character", _LINE, "lines of text"),
        do_not=table.texts("do_not", _LINE, "lines of text"),
    )
    table.finish()
    return made


def _minutes(table: Table) -> tuple[int, int]:
    inner = table.table("minutes")
    low, high = (inner.integer(key, 1, _LONGEST_DAY) for key in ("from", "to"))
    inner.finish()
    if high < low:
        table.fail("minutes", f"goes from {low} to {high}; swap them")
    return low, high


def _whole(table: Table, key: str) -> int:
    return table.integer(key, 0, _LONGEST_DAY) if table.has(key) else 0


def _expectations(
    top: Table, categories: tuple[HumanCategory, ...], levels: Mapping[str, str]
) -> dict[str, Expected]:
    inner = top.table("expectations")
    found = {}
    for seniority in inner.keys():  # noqa: SIM118 - not a dict
        if seniority not in SENIORITIES:
            inner.fail(seniority, f"is no seniority; use {', '.join(SENIORITIES)}")
        table = inner.table(seniority)
        meets, exceeds = (
            _goal(table.table(key), categories, levels) for key in ("meets", "exceeds")
        )
        shows = table.texts("shows", _LINE, "lines of text")
        table.finish()
        if not shows:
            table.fail("shows", "is missing; add what this seniority is expected to show")
        _ordered(table, meets, exceeds, list(levels))
        found[seniority] = Expected(seniority, shows, meets, exceeds)
    if not found:
        top.fail("expectations", "is empty; add [expectations.mid] with shows, meets and exceeds")
    return found


def _goal(table: Table, categories: tuple[HumanCategory, ...], levels: Mapping[str, str]) -> Goal:
    wanted: dict[str, str] = {}
    for category in categories:
        if table.has(category.id):
            choice = "|".join(levels)
            wanted[category.id] = table.text(category.id, choice, f"one of {', '.join(levels)}")
    made = Goal(table.number("overall", 1.0, float(len(levels))), wanted)
    table.finish()
    return made


def _ordered(table: Table, meets: Goal, exceeds: Goal, levels: list[str]) -> None:
    """Exceeds asks for no less than Meets, else a card could exceed without meeting."""
    if exceeds.overall < meets.overall:
        table.fail("exceeds", f"asks for {exceeds.overall:g}, less than meets; raise it")
    for name, level in meets.levels.items():
        if name not in exceeds.levels or levels.index(exceeds.levels[name]) < levels.index(level):
            table.fail("exceeds", f"{name} asks for less than meets; write at least {level!r}")


def _distinct(table: Table, key: str, ids: Iterable[str]) -> None:
    for name, count in Counter(ids).items():
        if count > 1:
            table.fail(key, f"id {name!r} is used twice; rename one")
