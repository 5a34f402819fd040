"""The state that follows from the events, and what of it is valid for a run as it is now. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader.decisions.events import DECISIONS, Event, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Standing", "State", "fold", "standing"]


@dataclass(slots=True)
class State:
    """What all events together say; grows with `add`.

    Attributes:
        decisions: (case, category) → decisions that were not withdrawn, in order.
        observed: (case, reviewer) → what they last said to have seen.
        notes: case → notes that were not withdrawn, in order.
        history: case → all of its events, in order.
        unblinded: exercise → cases whose names are shown; None for all, as earlier versions did.
        purged: cases whose data was deleted.
        invited: digest of a link → the event that made it.
        joined: digests of links that were used.
        last: number of the last event.
    """

    decisions: dict[tuple[str, str], list[Event]] = field(default_factory=dict)
    observed: dict[tuple[str, str], Event] = field(default_factory=dict)
    notes: dict[str, list[Event]] = field(default_factory=dict)
    history: dict[str, list[Event]] = field(default_factory=dict)
    unblinded: dict[str, frozenset[str] | None] = field(default_factory=dict)
    purged: set[str] = field(default_factory=set)
    invited: dict[str, Event] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    last: int = 0

    def add(self, event: Event) -> None:
        """Take one more event in."""
        self.last = event.seq
        if event.case:
            self.history.setdefault(event.case, []).append(event)
        if event.kind in DECISIONS:
            self.decisions.setdefault((event.case, event.category), []).append(event)
        elif event.kind is Kind.NOTE:
            self.notes.setdefault(event.case, []).append(event)
        elif event.kind is Kind.OBSERVE:
            self.observed[event.case, event.by] = event
        elif event.kind is Kind.WITHDRAW:
            self._withdraw(event)
        elif event.kind is Kind.UNBLIND:
            self._unblind(event)
        elif event.kind is Kind.PURGE:
            self.purged.add(event.case)
        elif event.kind is Kind.INVITE:
            self.invited[event.data[0]] = event
        elif event.kind is Kind.JOIN:
            self.joined |= set(event.data)

    def _unblind(self, event: Event) -> None:
        before = self.unblinded.get(event.exercise, frozenset())
        if before is None or not event.data:
            self.unblinded[event.exercise] = None
        else:
            self.unblinded[event.exercise] = before | frozenset(event.data)

    def _withdraw(self, event: Event) -> None:
        for found in (
            self.decisions.get((event.case, event.category), []),
            self.notes.get(event.case, []),
        ):
            found[:] = [other for other in found if other.seq != event.refers]

    def of(self, case: str) -> dict[str, list[Event]]:
        """Category → decisions of one case."""
        categories = dict.fromkeys(e.category for e in self.history.get(case, ()) if e.category)
        return {c: list(self.decisions.get((case, c), ())) for c in categories}


def fold(events: Iterable[Event]) -> State:
    """The state after some events."""
    state = State()
    for event in events:
        state.add(event)
    return state


@dataclass(frozen=True, slots=True)
class Standing:
    """What people say of one category of one case.

    Attributes:
        final: the last valid decision, which counts over the machine's level.
        stale: decisions about another run or rubric than the present one, newest last.
        opinions: reviewer → their last valid decision.
        disputed: valid opinions differ, and nobody has settled it.
    """

    final: Event | None
    stale: tuple[Event, ...]
    opinions: Mapping[str, Event]
    disputed: bool

    @property
    def needs_renewal(self) -> bool:
        """Whether there are only decisions that do not count any more."""
        return self.final is None and bool(self.stale)


def standing(decisions: Iterable[Event], run: str, scoring: str) -> Standing:
    """What holds of one category's decisions.

    Args:
        decisions: of one case and category, not withdrawn, in order.
        run: digest of the present evidence.
        scoring: digest of the present rubric, expectations and task sheet.
    """
    valid: list[Event] = []
    stale: list[Event] = []
    for event in decisions:
        (valid if (event.run, event.scoring) == (run, scoring) else stale).append(event)
    settled = max((e.seq for e in valid if e.kind is Kind.ADJUDICATE), default=0)
    opinions = {event.by: event for event in valid}
    since = {event.level for event in opinions.values() if event.seq >= settled}
    return Standing(valid[-1] if valid else None, tuple(stale), opinions, len(since) > 1)
