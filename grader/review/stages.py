"""The state of stages that people score: sheets, who scored them, what of it a reader may see.

A sheet is one candidate's scorecard. Each reviewer fills in their own; others' levels show once an
own one is in, and elsewhere once as many reviewers have scored a category as are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.decisions.agreement import Agreement, agreement
from grader.decisions.events import DECISIONS, STAGE, Event, Kind
from grader.decisions.fold import Standing, standing
from grader.exercise.contract import SENIORITIES
from grader.scorecard.outcome import Answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from grader.review.board import Board
    from grader.scorecard.card import Scorecard

__all__ = ["CategoryAgreement", "Filled", "Sheet", "StageProgress", "Stages"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One candidate's scorecard.

    Attributes:
        alias: the pseudonym of the candidate in this stage.
        who: the candidate; never shown on the sheet.
    """

    card: Scorecard
    alias: str
    who: str

    @property
    def stage(self) -> str:
        """What an event calls it."""
        return f"{STAGE}{self.card.id}"

    def known(self) -> set[str]:
        """What can be ticked: points as ``part/point``, and ids of indicators."""
        points = {f"{part.id}/{point}" for part in self.card.parts for point in part.points}
        return {*points, *self.card.positive, *self.card.negative}


@dataclass(frozen=True, slots=True)
class Filled:
    """A sheet that somebody has begun.

    Attributes:
        by: reviewer → in how many categories their level is valid.
        of: how many categories there are.
        state: ``open``, ``second opinion``, ``differ`` or ``complete``.
        mine: whether it waits for the reader.
    """

    sheet: Sheet
    by: Mapping[str, int]
    of: int
    state: str
    mine: bool


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far a stage is.

    Attributes:
        states: state of a sheet → how many.
        complete: reviewer → sheets in which each category has a valid level of theirs.
    """

    title: str
    states: Mapping[str, int]
    complete: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CategoryAgreement:
    """Agreement of reviewers in one category of a scorecard; a machine has no part in it."""

    category: str
    title: str
    reviewers: Agreement
    machine: None = None


class Stages:
    """Sheets over a board.

    Args:
        board: the candidates and the log.
        cards: the scorecards by id.
    """

    def __init__(self, board: Board, cards: Mapping[str, Scorecard]) -> None:
        self.board, self.cards = board, cards
        self._sheets: dict[tuple[str, str], Sheet] = {}
        self._people: object = None

    def alias(self, card: str, who: str) -> str:
        """The pseudonym of a candidate in a stage."""
        return self.board.names.case(f"{STAGE}{card}", who)

    def sheets(self) -> dict[tuple[str, str], Sheet]:
        """(card, pseudonym) → sheet, of everybody."""
        people = self.board.people
        if self._people is not people:
            made = [
                Sheet(card, self.alias(card.id, who), who)
                for card in self.cards.values()
                for who in people
            ]
            self._sheets = {(sheet.card.id, sheet.alias): sheet for sheet in made}
            self._people = people
        return self._sheets

    def of(self, who: str) -> list[Sheet]:
        """The sheets of one candidate."""
        return [sheet for sheet in self.sheets().values() if sheet.who == who]

    def begun(self) -> list[Sheet]:
        """Sheets that anybody has stored something on, by card."""
        with_events = self.board.state.history
        return [sheet for (_, alias), sheet in self.sheets().items() if alias in with_events]

    def seniority(self, who: str) -> str:
        """The seniority of the candidate's exercise; mid where there is none."""
        found = next((c for c in self.board.cases.values() if c.stored.who == who), None)
        name = found.machine.expectation.seniority if found else "mid"
        return name if name in SENIORITIES else "mid"

    # what was decided

    def standings(self, sheet: Sheet, until: int | None = None) -> dict[str, Standing]:
        """Category → what people said; with `until`, as it was after that event."""
        digest, decisions = sheet.card.digest, self.board.state.decisions
        found = {}
        for category in sheet.card.categories:
            events: Iterable[Event] = decisions.get((sheet.alias, category.id), ())
            if until is not None:
                events = [event for event in events if event.seq <= until]
            found[category.id] = standing(events, digest, digest)
        return found

    def observed(self, sheet: Sheet, reviewer: str, until: int | None = None) -> frozenset[str]:
        """What a reviewer ticked; with `until`, as it was after that event."""
        ticks: frozenset[str] = frozenset()
        for event in self.board.state.history.get(sheet.alias, ()):
            if event.kind is Kind.OBSERVE and event.by == reviewer:
                if until is not None and event.seq > until:
                    break
                ticks = frozenset(event.data)
        return ticks & sheet.known()

    def readable(self, now: Standing, reader: str) -> bool:
        """Whether a reader may see the levels of others in a category."""
        return reader in now.opinions or len(now.opinions) >= self.board.opinions

    def own(self, sheet: Sheet, reviewer: str) -> Answers:
        """A reviewer's own answers."""
        levels = {c: now.opinions.get(reviewer) for c, now in self.standings(sheet).items()}
        return self._answers(sheet, levels, self.observed(sheet, reviewer))

    def counting(self, sheet: Sheet, reader: str) -> tuple[Answers, tuple[str, ...]]:
        """The last valid levels and what anybody ticked, as far as a reader may see it.

        Returns:
            The answers, and the titles of the categories whose levels are hidden from the reader.
        """
        found = self.standings(sheet)
        levels = {c: now.final for c, now in found.items() if self.readable(now, reader)}
        hidden = tuple(c.title for c in sheet.card.categories if c.id not in levels)
        known = {event.by for event in self.board.state.history.get(sheet.alias, ())}
        people = {reader} if hidden else known
        ticks = frozenset[str]().union(*(self.observed(sheet, name) for name in people))
        return self._answers(sheet, levels, ticks), hidden

    def _answers(
        self, sheet: Sheet, levels: Mapping[str, Event | None], ticks: frozenset[str]
    ) -> Answers:
        names = list(sheet.card.levels)
        chosen = {
            category: names[event.level - 1]
            for category, event in levels.items()
            if event is not None and event.level is not None and event.level <= len(names)
        }
        signs = {*sheet.card.positive, *sheet.card.negative}
        return Answers(chosen, ticks - signs, ticks & signs)

    def changed(
        self, sheet: Sheet, seen: int, reviewer: str, categories: Iterable[str]
    ) -> dict[str, list[Event]]:
        """Category → what changed since event `seen` that this reviewer may see."""
        found: dict[str, list[Event]] = {}
        now = self.standings(sheet)
        wanted = {c: reviewer in now[c].opinions for c in categories}
        for event in self.board.state.history.get(sheet.alias, ()):
            if event.seq <= seen or event.kind not in DECISIONS:
                continue
            if wanted.get(event.category) or (event.category in wanted and event.by == reviewer):
                found.setdefault(event.category, []).append(event)
        return found

    # how far it is

    def filled(self, reader: str) -> list[Filled]:
        """Sheets that were begun, those that wait for the reader first."""
        found = [self._filled(sheet, reader) for sheet in self.begun()]
        return sorted(found, key=lambda one: not one.mine)

    def _filled(self, sheet: Sheet, reader: str) -> Filled:
        standings = self.standings(sheet)
        by: dict[str, int] = {}
        for now in standings.values():
            for name in now.opinions:
                by[name] = by.get(name, 0) + 1
        of = len(standings)
        least = min(len(now.opinions) for now in standings.values())
        differ = any(now.disputed and self.readable(now, reader) for now in standings.values())
        if not least:
            state, mine = "open", 0 < by.get(reader, 0) < of
        elif least < self.board.opinions:
            state, mine = "second opinion", by.get(reader, 0) < of
        else:
            state, mine = ("differ", by.get(reader, 0) > 0) if differ else ("complete", False)
        return Filled(sheet, dict(sorted(by.items())), of, state, mine)

    def progress(self, reader: str) -> Iterator[StageProgress]:
        """How far each stage is that was begun."""
        filled = self.filled(reader)
        for card in self.cards.values():
            states: dict[str, int] = {}
            complete: dict[str, int] = {}
            for one in filled:
                if one.sheet.card.id == card.id:
                    states[one.state] = states.get(one.state, 0) + 1
                    for name, count in one.by.items():
                        complete[name] = complete.get(name, 0) + (count == one.of)
            if states:
                yield StageProgress(card.title, states, complete)

    def agreement(self, reader: str) -> Iterator[tuple[str, list[CategoryAgreement]]]:
        """Agreement on the present version of each card that two people scored."""
        for card in self.cards.values():
            units: dict[str, list[tuple[int, ...]]] = {c.id: [] for c in card.categories}
            for sheet in self.begun():
                if sheet.card.id != card.id:
                    continue
                for category, now in self.standings(sheet).items():
                    if self.readable(now, reader) and len(now.opinions) > 1:
                        units[category].append(_levels(now))
            if any(units.values()):
                yield (
                    card.title,
                    [
                        CategoryAgreement(c.id, c.title, agreement(units[c.id]))
                        for c in card.categories
                    ],
                )


def _levels(now: Standing) -> tuple[int, ...]:
    """The levels of all reviewers, in the order of their names."""
    return tuple(now.opinions[name].level or 0 for name in sorted(now.opinions))
