"""The table of all cases, as an address asks for it, and the progress of reviewers."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.decisions.events import DECISIONS, Kind
from grader.models import Band

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.review.board import Board, Case, Need
    from grader.scores import ScoreCard

__all__ = ["Listing", "Progress", "TableRow", "progress_of", "whole"]

_ON_PAGE = 100
_BANDS = tuple(Band)
STATES = ("open", "decided", "stale", "disputed", "machine only")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One case in the table."""

    case: Case
    card: ScoreCard
    needs: tuple[Need, ...]

    @property
    def state(self) -> str:
        """What is to be done with it."""
        whys = {need.why for need in self.needs}
        for why in ("disputed", "stale"):
            if why in whys:
                return why
        if whys:
            return "open"
        decided = any(c.decision and c.decision.counts for c in self.card.categories)
        return "decided" if decided else "machine only"

    def levels(self) -> dict[str, Any]:
        """Category id → its score."""
        return {c.id: c for c in self.card.categories}


class Listing:
    """Rows, filtered, sorted and cut into pages.

    Args:
        board: the cases.
        reviewer: for whom.
        asked: ``exercise``, ``state``, ``band``, ``sort``, ``down``, ``page``; unknown values are
            as if nothing was asked.
    """

    def __init__(self, board: Board, reviewer: str, asked: Mapping[str, str]) -> None:
        self.exercises = board.exercises()
        self.states, self.bands = STATES, [band.value for band in _BANDS]
        self.exercise = asked.get("exercise", "") if asked.get("exercise") in self.exercises else ""
        self.state = asked.get("state", "") if asked.get("state") in STATES else ""
        self.band = asked.get("band", "") if asked.get("band") in self.bands else ""
        self.down = asked.get("down") == "1"
        rows = [
            TableRow(case, board.card(case, reviewer), _needs(board, case, reviewer))
            for case in board.queue(reviewer)
            if not self.exercise or case.exercise == self.exercise
        ]
        self.categories = {c.id: c.title for row in rows for c in row.card.categories}
        keys = {"score", "band", "exercise", "state", *self.categories}
        self.sort = asked.get("sort", "") if asked.get("sort") in keys else ""
        rows = [
            row
            for row in rows
            if (not self.state or row.state == self.state)
            and (not self.band or row.card.band.value == self.band)
        ]
        if self.sort:
            rows.sort(key=self._key, reverse=self.down)
        self.count = len(rows)
        self.pages = max(1, -(-len(rows) // _ON_PAGE))
        self.page = max(1, min(whole(asked.get("page", "1"), 1), self.pages))
        self.rows = rows[(self.page - 1) * _ON_PAGE : self.page * _ON_PAGE]

    def _key(self, row: TableRow) -> tuple[float, str]:
        if self.sort == "score":
            return row.card.overall, ""
        if self.sort == "band":
            return float(_BANDS.index(row.card.band)), ""
        if self.sort in {"exercise", "state"}:
            return 0.0, row.state if self.sort == "state" else row.case.exercise
        category = row.levels().get(self.sort)
        return float(category.level) if category and category.assessed else 0.0, ""

    def address(self, **changes: object) -> dict[str, object]:
        """The values of an address that shows the same with some changes."""
        values: dict[str, object] = {
            "exercise": self.exercise, "state": self.state, "band": self.band,
            "sort": self.sort, "down": "1" if self.down else "", "page": self.page,
        } | changes  # fmt: skip
        return {name: value for name, value in values.items() if value not in {"", 1}}

    def sorting(self, key: str) -> dict[str, object]:
        """The address that sorts by a column, or the other way round."""
        down = "1" if self.sort != key or not self.down else ""
        return self.address(sort=key, down=down, page=1)

    def order(self, key: str) -> str:
        """The value of ``aria-sort`` of a column."""
        if self.sort != key:
            return "none"
        return "descending" if self.down else "ascending"


def _needs(board: Board, case: Case, reviewer: str) -> tuple[Need, ...]:
    """What of a case waits for anybody; that others differ is told once an own opinion is in."""
    return tuple(
        dataclasses.replace(need, why="second opinion")
        if need.why == "disputed" and board.hidden(case, need.category, reviewer)
        else need
        for need in board.needs(case)
    )


def whole(text: str, otherwise: int) -> int:
    """A whole number of at most six digits; `otherwise` for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else otherwise  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Progress:
    """What one reviewer did.

    Attributes:
        cases: on which they decided anything that was not withdrawn.
        kinds: of events → how many; those that this reader may not see yet are ``hidden``.
        waiting: cases that wait for them.
        last: when they last decided, ISO 8601.
    """

    name: str
    cases: int
    kinds: Mapping[str, int]
    waiting: int
    last: str


def progress_of(board: Board, reader: str) -> list[Progress]:
    """Every reviewer that the log names, by name, as far as a reader may see what they did."""
    kinds: dict[str, Counter[str]] = {}
    last: dict[str, str] = {}
    # Copies: another request may add an event meanwhile.
    for case_alias, events in list(board.state.history.items()):
        about = board.cases.get(case_alias)
        for event in list(events):
            if event.kind in DECISIONS or event.kind in {Kind.NOTE, Kind.WITHDRAW}:
                seen = about is None or board.may_read(event, about, reader)
                kinds.setdefault(event.by, Counter())[event.kind.value if seen else "hidden"] += 1
                last[event.by] = max(last.get(event.by, ""), event.at)
    on: dict[str, set[str]] = {}
    for (case, _), decisions in list(board.state.decisions.items()):
        for event in list(decisions):
            on.setdefault(event.by, set()).add(case)
    return [
        Progress(
            name,
            len(on.get(name, ())),
            kinds[name],
            sum(bool(board.needs(case, name)) for case in board.cases.values()),
            last[name],
        )
        for name in sorted(kinds)
    ]
