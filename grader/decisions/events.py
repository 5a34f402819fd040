"""Events, their canonical bytes, and the chain of hashes over them.

An event names its case by a pseudonym and holds no free text: of a reason or a note it holds a
salted digest. So the text can be deleted later, when a candidate's data has to go, while the chain
over all events still checks.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from grader.errors import GraderError, UsageError

__all__ = [
    "DECISIONS",
    "STAGE",
    "START",
    "Conflict",
    "Draft",
    "Event",
    "Kind",
    "canonical",
    "chained",
    "event_from",
    "most_levels",
    "text_digest",
]

START = "0" * 64
"""The hash before the first event."""


class Kind(enum.StrEnum):
    """What happened."""

    CONFIRM = "confirm"  # the machine's level holds
    OVERRULE = "overrule"  # another level than the machine's
    SCORE = "score"  # a level where the machine has none
    ADJUDICATE = "adjudicate"  # the level after reviewers differed
    NOTE = "note"
    OBSERVE = "observe"  # points and indicators of a scorecard that were seen; `data` holds ids
    WITHDRAW = "withdraw"  # of an own decision or note
    UNBLIND = "unblind"  # names of the cases in `data` are shown from now on
    INVITE = "invite"  # a link for a reviewer was made; `data` holds its digest
    JOIN = "join"  # the link was used
    PURGE = "purge"  # a candidate's data was deleted


STAGE = "scorecard/"
"""What stands before the id of a scorecard where an event names an exercise or a stage."""

_LEVELS, _STAGE_LEVELS = 4, 6  # at most, of an exercise and of a scorecard


def most_levels(exercise: str) -> int:
    """How many levels there can be in an exercise or a stage."""
    return _STAGE_LEVELS if exercise.startswith(STAGE) else _LEVELS


DECISIONS = frozenset({Kind.CONFIRM, Kind.OVERRULE, Kind.SCORE, Kind.ADJUDICATE})
_WITH_TEXT = frozenset({Kind.OVERRULE, Kind.ADJUDICATE, Kind.NOTE})


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that has not happened yet.

    Attributes:
        kind: what is to happen.
        by: who claims to do it.
        case: the pseudonym of a candidate in one exercise; empty for what is about no case.
        exercise: id of the exercise or scorecard.
        category: id of a category; empty for what is about the whole case.
        level: from 1 to `most_levels`, of a decision.
        machine: the machine's level that it was decided over, 1-4; None where there is none.
        run: digest of the evidence that was looked at, hex.
        scoring: digest of rubric, expectations and task sheet, hex.
        refers: number of the event that is withdrawn.
        data: further ids, such as points of a scorecard that were seen.
        text: a reason or a note.
    """

    kind: Kind
    by: str
    case: str = ""
    exercise: str = ""
    category: str = ""
    level: int | None = None
    machine: int | None = None
    run: str = ""
    scoring: str = ""
    refers: int = 0
    data: tuple[str, ...] = ()
    text: str = ""

    def check(self) -> None:
        """Hold that the parts fit the kind.

        Raises:
            UsageError: they do not; the message says what is missing.
        """
        if not self.by.strip():
            raise UsageError("an event needs the name of the person who decides")
        try:
            f"{self.by}{self.text}".encode()
        except UnicodeEncodeError:
            raise UsageError("a name or a reason holds characters that are no text") from None
        if self.kind in DECISIONS:
            most = most_levels(self.exercise)
            if self.level is None or not 1 <= self.level <= most:
                raise UsageError(f"a decision needs a level from 1 to {most}")
            if not (self.case and self.category and self.run and self.scoring):
                raise UsageError("a decision needs a case, a category and the digests it is about")
            if self.kind is Kind.CONFIRM and self.level != self.machine:
                raise UsageError("a confirmation has the machine's level; overrule it instead")
        if self.kind in _WITH_TEXT and not self.text.strip():
            raise UsageError("a reason is missing: say what the machine did not see")
        if self.kind is Kind.WITHDRAW and not self.refers:
            raise UsageError("a withdrawal names the event that it takes back")


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the log.

    Attributes:
        seq: its number, from 1, without gaps.
        at: when, ISO 8601 in UTC, as the machine's clock had it.
        text_digest: `text_digest` of its text; empty where it has none.
        text: the reason or note; empty where it has none, None where it was deleted.
        hash: SHA-256 over the hash before and the event's canonical bytes, hex.
    """

    seq: int
    at: str
    kind: Kind
    by: str
    case: str
    exercise: str
    category: str
    level: int | None
    machine: int | None
    run: str
    scoring: str
    refers: int
    data: tuple[str, ...]
    text_digest: str
    text: str | None = ""
    hash: str = ""


class Conflict(GraderError):
    """Somebody decided on the same category meanwhile.

    Attributes:
        event: what they decided.
    """

    exit_code = 2

    def __init__(self, event: Event) -> None:
        super().__init__(
            f"{event.by} decided on {event.category} meanwhile: look at both and choose"
        )
        self.event = event


def text_digest(salt: bytes, text: str) -> str:
    """A digest that binds a text and tells nothing of it once the salt is gone."""
    return hashlib.sha256(salt + text.encode("utf-8", "surrogatepass")).hexdigest()


def canonical(event: Event) -> str:
    """The event without text and hash as JSON whose bytes depend on its values alone."""
    values = dataclasses.asdict(event)
    del values["text"], values["hash"]
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def chained(before: str, body: str) -> str:
    """The hash of an event, from the one before it and its canonical JSON."""
    return hashlib.sha256(f"{before}\n{body}".encode("ascii")).hexdigest()


def event_from(body: str, text: str | None, hashed: str) -> Event:
    """The event that `canonical` made JSON of.

    Raises:
        ValueError: it is something else.
    """
    values: dict[str, Any] = json.loads(body)
    try:
        values["kind"] = Kind(values["kind"])
        found = Event(**values, text=text, hash=hashed)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no event of this version: {error}") from None
    if not _well_formed(found):
        raise ValueError("no event of this version: a value is of another kind")
    return dataclasses.replace(found, data=tuple(found.data))


def _well_formed(event: Event) -> bool:
    """Whether the values are of the types that an event has, and in their ranges."""
    texts = (event.at, event.by, event.case, event.exercise, event.category, event.run)
    numbers = (event.seq, event.refers)
    return (
        all(type(text) is str for text in (*texts, event.scoring, event.text_digest))
        and all(type(number) is int for number in numbers)
        and isinstance(event.data, list | tuple)
        and all(type(item) is str for item in event.data)
        and _is_level(event.level, most_levels(event.exercise))
        and _is_level(event.machine, _LEVELS)
    )


def _is_level(value: object, most: int) -> bool:
    return value is None or (type(value) is int and 1 <= value <= most)
