"""The table of a collection: terminal, CSV, and the gradebooks that other programs read."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from rich.table import Table

from grader.models import Status
from grader.report.points import MOST
from grader.report.tables import write_csv
from grader.scoring.final import is_decided
from grader.text import CandidateText, for_rich

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import Console

    from grader.collect.book import Row
    from grader.report.tables import Cell
    from grader.scores import ScoreCard

__all__ = ["GRADEBOOKS", "collected_csv", "print_table"]

_PRINTED = 1_000  # rows that somebody may still read in a terminal
_MACHINE = 6  # place of the machine's column in the terminal's table
_COLUMNS = (
    "candidate", "name", "username", "email", "section", "state", "score", "band", "levels",
    "counts", "machine_score", "machine_band", "machine_levels",
    "failed_checks", "checks", "submitted_at", "time_by", "late", "submissions", "file", "commit",
    "commit_graded", "commits", "first_commit", "last_commit", "digest", "results", "notes",
)  # fmt: skip


def collected_csv(rows: Iterable[Row]) -> bytes:
    """Everything, one row a submission, and one for each candidate without any."""
    return write_csv(_COLUMNS, (_cells(row) for row in rows))


def _cells(row: Row) -> Sequence[Cell]:
    person, report, history = row.person, row.report, row.history
    card = report.scorecard if report else None
    machine = report.machine_card if report else None
    failed = sum(r.status is not Status.PASSED for r in report.evidence) if report else None
    return (
        person.identifier, person.name, person.username, person.email, person.section, row.state,
        card.overall if card else None,
        card.band.value if card else "",
        "".join(_levels(row)),
        _counts(row),
        machine.overall if machine else None,
        machine.band.value if machine else "",
        "".join(_level_digits(machine)),
        failed,
        len(report.evidence) if report else None,
        _moment(row.submitted), row.clock,
        "" if row.late is None else "yes" if row.late else "no",
        row.attempts,
        row.source.path.name if row.source else "",
        history.head if history else "",
        _exact(row),
        history.commits if history and history.head else None,
        _moment(history.first) if history else "",
        _moment(history.last) if history else "",
        row.digest,
        str(row.folder) if row.folder else "",
        "; ".join(row.notes),
    )  # fmt: skip


def _levels(row: Row) -> list[str]:
    return _level_digits(row.report.scorecard if row.report else None)


def _level_digits(card: ScoreCard | None) -> list[str]:
    categories = card.categories if card else ()
    return [str(int(c.level)) if c.assessed else "-" for c in categories]


def _counts(row: Row) -> str:
    """Whose score counts, and whether a decision of a reviewer's waits to be made again."""
    if row.report is None:
        return ""
    told = "reviewer" if is_decided(row.report.scorecard) else "machine"
    decisions = [c.decision for c in row.report.scorecard.categories if c.decision]
    if any(not decision.counts for decision in decisions):
        told += ", a decision is stale"
    if any(decision.disputed for decision in decisions):
        told += ", reviewers differ"
    return told


def _commit(row: Row) -> str:
    """The commit, with a mark where the graded files are not exactly its own."""
    if row.history is None or not row.history.head:
        return ""
    return row.history.head[:8] + ("+" if row.history.differing else "")


def _exact(row: Row) -> str:
    """Whether the graded files are those of the commit."""
    if row.history is None or not row.history.head:
        return ""
    return "yes" if row.history.differing == 0 else f"no, {row.history.differing} files differ"


def _moment(value: dt.datetime | None) -> str:
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""


def _counting(rows: Iterable[Row]) -> list[Row]:
    """The row of each candidate that counts."""
    return [row for row in rows if row.state != "superseded"]


def _points(row: Row) -> float | None:
    return round(row.report.scorecard.overall, 2) if row.report else None


def _classroom(rows: Sequence[Row], assignment: str) -> bytes:
    header = (
        "assignment_name", "assignment_url", "starter_code_url", "github_username",
        "roster_identifier", "student_repository_name", "student_repository_url",
        "submission_timestamp", "points_awarded", "points_available",
    )  # fmt: skip
    return write_csv(
        header,
        (
            (
                assignment, "", "", row.person.username, row.person.identifier,
                row.source.path.name if row.source else "", "", _moment(row.submitted),
                _points(row), 4,
            )
            for row in _counting(rows)
        ),
    )  # fmt: skip


def _classroom50(rows: Sequence[Row], assignment: str) -> bytes:
    del assignment
    header = (
        "username", "first_name", "last_name", "email", "section", "score", "max_score", "datetime",
        "submission_tag", "submitted_by", "review_url", "late", "override",
    )  # fmt: skip
    return write_csv(
        header,
        (
            (
                row.person.username or row.person.identifier, row.person.first_name,
                row.person.last_name, row.person.email, row.person.section,
                round(row.report.scorecard.overall * 100) if row.report else None,
                MOST if row.report else None, _moment(row.submitted), "", row.person.username, "",
                "" if row.late is None else str(row.late).lower(), "true" if row.report else "",
            )
            for row in _counting(rows)
        ),
    )  # fmt: skip


def _canvas(rows: Sequence[Row], assignment: str) -> bytes:
    header = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment)
    first: list[Sequence[Cell]] = [("    Points Possible", "", "", "", "", 4)]
    return write_csv(
        header,
        first
        + [
            (
                _last_first(row), row.person.number, row.person.identifier,
                row.person.email or row.person.username, row.person.section, _points(row),
            )
            for row in _counting(rows)
        ],
    )  # fmt: skip


def _last_first(row: Row) -> str:
    person = row.person
    return f"{person.last_name}, {person.first_name}" if person.last_name else person.name


def _gradescope(rows: Sequence[Row], assignment: str) -> bytes:
    header = (
        "First Name", "Last Name", "SID", "Email", "Sections", assignment,
        f"{assignment} - Max Points", f"{assignment} - Submission Time",
    )  # fmt: skip
    return write_csv(
        header,
        (
            (
                row.person.first_name or row.person.identifier, row.person.last_name,
                row.person.number, row.person.email, row.person.section, _points(row), 4,
                _moment(row.submitted),
            )
            for row in _counting(rows)
        ),
    )  # fmt: skip


GRADEBOOKS: dict[str, Callable[[Sequence[Row], str], bytes]] = {
    "classroom": _classroom,
    "classroom50": _classroom50,
    "canvas": _canvas,
    "gradescope": _gradescope,
}


def _name(row: Row) -> str:
    return row.person.name if row.person.name != row.person.identifier else ""


def _inert(text: str) -> str:
    """Text that is no command to a CI job which reads the log, wherever in a line it stands."""
    return re.sub(r"#(?=#)", "# ", re.sub(r":(?=:)", ": ", text))


def _machine(row: Row) -> str:
    """The machine's score and levels, where a reviewer's count."""
    if row.report is None or row.report.machine is None:
        return ""
    card = row.report.machine
    return f"{card.overall:.2f}  {' '.join(_level_digits(card))}"


def print_table(rows: Sequence[Row], console: Console) -> None:
    """One line a submission; below, what a reviewer should know of some.

    Of more than 1,000 rows only those without a score are shown, and no more than that many.
    """
    left = len(rows)
    if left > _PRINTED:
        rows = [row for row in rows if row.state != "graded"][:_PRINTED]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    any_decided = any(row.report and row.report.machine for row in rows)
    for name in (
        "Candidate",
        "Name",
        "State",
        "Score",
        "Band",
        "Levels",
        "Machine",
        "Submitted",
        "Late",
        "Commit",
    ):
        if name == "Machine" and not any_decided:
            continue
        folds = name in {"Candidate", "Name"}
        table.add_column(name, no_wrap=not folds, overflow="fold", min_width=9 if folds else None)
    styles = {"graded": "", "missing": "dim", "superseded": "dim"}
    for row in rows:
        card = row.report.scorecard if row.report else None
        cells = [
            row.person.identifier, _name(row), row.state, f"{card.overall:.2f}" if card else "",
            card.band.value if card else "", " ".join(_levels(row)),
            _machine(row) if any_decided else "", _moment(row.submitted)[:16],
            "" if row.late is None else "late" if row.late else "no", _commit(row),
        ]  # fmt: skip
        if not any_decided:
            del cells[_MACHINE]
        style = styles.get(row.state, "red")
        table.add_row(*(for_rich(CandidateText(_inert(cell)), style) for cell in cells))
    if rows:
        console.print(table, highlight=False, markup=False, emoji=False)
    if left > len(rows):
        more = f"{left - len(rows):,} other rows are in the files of the collection"
        console.print(more, highlight=False, markup=False)
    for row in rows:
        if row.notes:
            note = CandidateText(_inert(f"{row.person.identifier}: {'; '.join(row.notes)}"))
            console.print(for_rich(note, "dim"), soft_wrap=True)
