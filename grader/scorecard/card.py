"""What a scorecard is: questions or parts, categories by levels with anchors, expectations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Competencies",
    "Competency",
    "Expected",
    "Goal",
    "HumanCategory",
    "Part",
    "Role",
    "Scorecard",
]


@dataclass(frozen=True, slots=True)
class HumanCategory:
    """One thing that a reviewer gives a level.

    Attributes:
        weight: its share of the card's overall score; the weights of a card add up to 1.
        anchors: level id → what earns that level; one for each level of the card.
    """

    id: str
    title: str
    weight: float
    anchors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A question or a piece of the stage.

    Attributes:
        minutes: time for it; 0 where the card sets no time for its parts.
        points: id → a point that a good answer makes, to be ticked.
        informs: ids of the categories that it is evidence for; empty means all.
    """

    id: str
    title: str
    prompt: str
    minutes: int
    points: Mapping[str, str] = field(default_factory=dict)
    follow_ups: tuple[str, ...] = ()
    informs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody whom an interviewer plays in a simulation.

    Attributes:
        constraints: facts to be given when the candidate asks for them.
        tensions: what the interviewer brings into the conversation.
        in_character: how to act.
        do_not: what would spoil the evidence.
    """

    id: str
    title: str
    motivation: str
    constraints: tuple[str, ...]
    tensions: tuple[str, ...]
    in_character: tuple[str, ...]
    do_not: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Goal:
    """An overall score on the card's own scale, and a level id for each category that matters."""

    overall: float
    levels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a seniority is expected to show.

    Attributes:
        shows: in words, for the reviewer.
        meets: what the band Meets asks for.
        exceeds: what the band Exceeds asks for.
    """

    seniority: str
    shows: tuple[str, ...]
    meets: Goal
    exceeds: Goal


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One stage that people score.

    Attributes:
        stage: names the kind of stage; cards of one stage are alternatives to each other.
        minutes: shortest and longest time for the stage.
        prepare_minutes: what the candidate needs before; 0 for none.
        panel: who scores it.
        levels: id → title, the lowest first. A level's score is its position, from 1.
        positive: indicators that speak for the candidate; id → text.
        negative: indicators that speak against the candidate; id → text.
        digest: SHA-256 of the file's bytes, hex; a decision names it.
    """

    id: str
    version: str
    stage: str
    title: str
    purpose: str
    panel: str
    minutes: tuple[int, int]
    prepare_minutes: int
    levels: Mapping[str, str]
    categories: tuple[HumanCategory, ...]
    parts: tuple[Part, ...]
    positive: Mapping[str, str]
    negative: Mapping[str, str]
    prepare: tuple[str, ...]
    ground_rules: tuple[str, ...]
    roles: tuple[Role, ...]
    expectations: Mapping[str, Expected]
    digest: str

    def score_of(self, level: str) -> int:
        """A level's score: its position among the card's levels, from 1."""
        return list(self.levels).index(level) + 1


@dataclass(frozen=True, slots=True)
class Competency:
    """One row of the competency table: what each seniority does."""

    id: str
    title: str
    discipline: str
    by_seniority: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Competencies:
    """The competency table, in the order of the file."""

    rows: tuple[Competency, ...]
    digest: str
