"""One row for each candidate: which submission counts, when it came, how it was graded."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from grader.collect.found import HANDED_IN_BY_MISTAKE
from grader.collect.grading import Key, Task, key_of
from grader.collect.history import History, read_history
from grader.collect.matching import match
from grader.errors import GraderError, SubmissionRejected, unforeseen
from grader.starter.build import candidates_own, shipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from grader.collect.found import Found
    from grader.collect.roster import Person
    from grader.pipeline import Grading
    from grader.report.model import Report

__all__ = ["Row", "book", "choose", "tasks_of"]

_LINK = "symlink: it is a link to elsewhere; put the file or folder itself there"


@dataclass(frozen=True, slots=True)
class Row:
    """One submission of one candidate, or one that is missing.

    Attributes:
        state: ``graded``, ``pending``, ``missing``, ``rejected``, ``failed`` (the platform; it can
            be graded again) or ``superseded`` (by another of the same candidate).
        clock: whose word `submitted` is: ``gradescope``, ``git``, ``file`` or nobody's.
        late: None where no due date or no time is known.
        attempts: submissions of this candidate.
        notes: what a reviewer should know.
    """

    person: Person
    state: str
    source: Found | None = None
    submitted: dt.datetime | None = None
    clock: str = ""
    late: bool | None = None
    attempts: int = 0
    key: Key | None = None
    digest: str = ""
    history: History | None = None
    report: Report | None = None
    folder: Path | None = None
    notes: tuple[str, ...] = field(default=())


def book(
    found: Sequence[Found],
    people: Sequence[Person],
    prepare: Callable[[Path], Grading],
    *,
    due: dt.datetime | None,
    take: str,
    step: Callable[[], None],
) -> list[Row]:
    """Rows before anything is graded.

    Args:
        found: submissions.
        people: the roster; empty if there is none.
        prepare: intake of one path.
        due: what comes later is late.
        take: ``last`` or ``first`` of several submissions counts.
        step: called for each submission looked at.
    """
    rows: list[Row] = []
    starters: dict[str, dict[str, set[bytes]]] = {}
    for person, every in match(found, people):
        items = [item for item in every if _counts(person, item, people)]
        if not items:
            if person.on_roster and not person.role and (people or not every):
                rows.append(Row(person, "missing"))
            continue
        looked = []
        for item in items:
            looked.append(_look(person, item, prepare, starters, due=due, attempts=len(items)))
            step()
        rows += choose(looked, take)
    return list(_with_copies(rows))


def _counts(person: Person, item: Found, people: Sequence[Person]) -> bool:
    """Whether a find is a submission: what nobody hands in is one where it is somebody's."""
    if not item.unknown or item.path.is_symlink():
        return not item.unknown or (person.on_roster and bool(people))
    if people:
        return person.on_roster
    return item.path.name.lower().endswith(HANDED_IN_BY_MISTAKE)


def _look(
    person: Person,
    item: Found,
    prepare: Callable[[Path], Grading],
    starters: dict[str, dict[str, set[bytes]]],
    *,
    due: dt.datetime | None,
    attempts: int,
) -> Row:
    """One row; whatever one submission brings about, the others get theirs."""
    role = f"on the roster as {person.role}, not as a student" if person.role else ""
    told = ("" if person.on_roster else "not on the roster", role, item.doubt)
    notes = tuple(note for note in told if note)
    row = Row(person, "pending", item, item.submitted, item.clock, attempts=attempts, notes=notes)
    if item.path.is_symlink():
        return replace(row, state="rejected", notes=(*notes, _LINK))
    try:
        row = _read(row, item.path, prepare(item.path), starters)
    except SubmissionRejected as error:
        row = replace(row, state="rejected", notes=(*notes, f"{error.code}: {error}"))
    except GraderError as error:
        row = replace(row, state="failed", notes=(*notes, str(error)))
    except Exception as error:  # noqa: BLE001 - a defect of ours costs one row
        row = replace(row, state="failed", notes=(*notes, str(unforeseen(error))))
    return _dated(row, due)


def _read(
    row: Row, path: Path, grading: Grading, starters: dict[str, dict[str, set[bytes]]]
) -> Row:
    """The row of a submission that can be graded: its key, its commits, what it changed."""
    notes = list(row.notes)
    submission, exercise = grading.submission, grading.exercise
    if exercise.id not in starters:
        starters[exercise.id] = shipped(exercise)
    given = starters[exercise.id]
    protected = [path for path in given if not candidates_own(path, exercise.entry)]
    history = None
    if path.is_dir():
        history = read_history(path, submission.files, protected)
    if history is not None and history.last and row.submitted is None:
        row = replace(row, submitted=history.last, clock="git")
    if history is not None:
        notes += _told(history)
    changed = [
        file.path
        for file in submission.files
        if file.path in protected
        and file.data not in given[file.path]
        and not file.path.startswith("data/")  # a candidate may have a variant of their own
    ]
    if changed:
        notes.append(f"changed what came with the task: {', '.join(changed[:5])}")
    return replace(
        row,
        key=key_of(grading),
        digest=submission.digest,
        history=history,
        notes=tuple(notes),
    )


def _told(history: History) -> Iterator[str]:
    if history.note:
        yield history.note
    if history.head and history.last is None:
        yield "the date of the commit is unknown: it cannot be read"
    if history.touched:
        yield f"commits changed {', '.join(history.touched[:5])}"
    if history.differing:
        yield f"{history.differing} graded files are not as in the commit"


def _dated(row: Row, due: dt.datetime | None) -> Row:
    if due is None or row.submitted is None:
        return row
    return replace(row, late=row.submitted > due)


def choose(rows: Sequence[Row], take: str) -> list[Row]:
    """Of several submissions of one candidate, one counts; of two of unknown time, the last named.

    Args:
        rows: of one candidate, in name order.
        take: ``last`` or ``first``.
    """
    if len(rows) < 2:  # noqa: PLR2004 - nothing to choose from
        return list(rows)
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    whole = [row for row in rows if row.key is not None] or list(rows)
    ordered = sorted(whole, key=lambda row: row.submitted or never)
    counts = ordered[-1] if take == "last" else ordered[0]
    return [
        row
        if row is counts
        else replace(row, state="superseded", notes=(*row.notes, f"{len(rows)} submissions"))
        for row in rows
    ]


def _with_copies(rows: Sequence[Row]) -> Iterator[Row]:
    """Two candidates with the same bytes are worth a look; they share one run."""
    owners: dict[Key, list[str]] = {}
    for row in rows:
        if row.key is not None:
            owners.setdefault(row.key, []).append(row.person.identifier)
    for row in rows:
        others = sorted(set(owners.get(row.key, ())) - {row.person.identifier}) if row.key else []
        if others:
            note = f"the same files as {', '.join(others[:3])}"
            yield replace(row, notes=(*row.notes, note))
        else:
            yield row


def tasks_of(rows: Sequence[Row]) -> list[Task]:
    """What is to be graded: each key once."""
    tasks: dict[Key, Task] = {}
    for row in rows:
        if row.state == "pending" and row.key is not None and row.source is not None:
            tasks.setdefault(row.key, Task(row.source.path, row.key))
    return list(tasks.values())
