"""Whose run is which, as ``grade collect`` leaves it in ``cases.json`` for those who decide.

A case is one candidate in one exercise. ``collected.csv`` is for people, and a spreadsheet may have
changed it; this file holds the same names exactly, together with all other names of the roster,
which a blind review has to mask. A folder that ``grade`` filled has no such file: there each
submission is a case by its own name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from grader.collect.grading import runs_in
from grader.collect.roster import Person
from grader.errors import UsageError
from grader.files import open_regular, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from grader.collect.book import Row
    from grader.decisions.names import Names

__all__ = [
    "FILE",
    "Cases",
    "StoredCase",
    "folder_of",
    "pseudonym",
    "read_cases",
    "without",
    "write_cases",
]

FILE = "cases.json"
SCHEMA = "cases/1"
_TABLE = "collected.csv"
_SUFFIX = re.compile(r"(\.(zip|tar|tgz|tbz2?|txz|gz|bz2|xz|py|ipynb))+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoredCase:
    """One candidate's run that counts.

    Attributes:
        who: what tables call the candidate.
        exercise: its id.
        run: folder of the run, relative to the folder of results.
        names: further strings that name the candidate, such as that of the file.
        digest: of the submission, hex.
    """

    who: str
    exercise: str
    run: str
    names: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases of a folder of results, and everybody whom the roster names."""

    schema: str
    people: tuple[Person, ...]
    cases: tuple[StoredCase, ...]

    def of_run(self, run: str) -> list[StoredCase]:
        """The cases that one run is the evidence of; several where candidates sent the same."""
        return [case for case in self.cases if case.run == run]


def write_cases(out: Path, rows: Sequence[Row]) -> None:
    """Write ``cases.json`` beside the table.

    Args:
        out: the folder of results.
        rows: of the table; those that were graded are cases.
    """
    everybody = {row.person.identifier: row.person for row in rows}
    cases = tuple(_case(row, out) for row in _graded(rows))
    stored = Cases(SCHEMA, tuple(everybody.values()), cases)
    write_whole(out / FILE, msgspec.json.format(msgspec.json.encode(stored), indent=1) + b"\n")


def _graded(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.state == "graded" and row.report and row.folder]


def _case(row: Row, out: Path) -> StoredCase:
    if row.report is None or row.folder is None:
        raise ValueError(row.state)
    names = [row.report.submission_name]
    if row.source:
        names.append(_SUFFIX.sub("", row.source.path.name))
    return StoredCase(
        who=row.person.identifier,
        exercise=row.report.exercise_id,
        run=row.folder.relative_to(out).as_posix(),
        names=tuple(dict.fromkeys(name for name in names if name)),
        digest=row.digest,
    )


def read_cases(folder: Path) -> Cases:
    """The cases of a folder of results.

    Raises:
        UsageError: it holds none; the message says what to do.
    """
    path = folder / FILE
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; give one that grade collect filled")
    if path.is_file():
        try:
            with open_regular(path) as file:
                stored = msgspec.json.decode(file.read(), type=Cases)
        except (OSError, msgspec.MsgspecError) as error:
            raise UsageError(
                f"{path} cannot be read: {error}; run grade collect again, which writes it"
            ) from error
        if stored.schema != SCHEMA:
            raise UsageError(f"{path} is {stored.schema!a}, and this version reads {SCHEMA}")
        _check_paths(stored, path)
        return stored
    if (folder / _TABLE).is_file():
        raise UsageError(
            f"{folder} has no {FILE}: an earlier version filled it; run grade collect again with "
            "the same options, which grades nothing twice"
        )
    return _of_runs(folder)


def _check_paths(stored: Cases, path: Path) -> None:
    for case in stored.cases:
        if Path(case.run).is_absolute() or ".." in Path(case.run).parts:
            raise UsageError(f"{path}: a run lies outside of its folder: {case.run[:80]!a}")


def _of_runs(folder: Path) -> Cases:
    """One case for each name of a submission; of its runs, the newest counts."""
    newest: dict[tuple[str, str], tuple[str, StoredCase]] = {}
    for run, report, _ in runs_in(folder):
        name, exercise = report["submission"]["name"], report["exercise"]["id"]
        case = StoredCase(name, exercise, run.name, (name,), report["submission"]["digest"])
        started = report["volatile"]["started"]
        known = newest.get((exercise, name))
        if known is None or known[0] < started:
            newest[exercise, name] = (started, case)
    if not newest:
        raise UsageError(f"{folder} holds no graded run; give a folder that grade collect filled")
    cases = tuple(case for _, case in newest.values())
    people = tuple(Person(identifier=name, on_roster=False) for name in {c.who for c in cases})
    return Cases(SCHEMA, tuple(sorted(people, key=lambda p: p.identifier)), cases)


def without(stored: Cases, who: str) -> Cases:
    """The same without one candidate."""
    return Cases(
        stored.schema,
        tuple(person for person in stored.people if person.identifier != who),
        tuple(case for case in stored.cases if case.who != who),
    )


def folder_of(run: Path) -> Path:
    """The folder of results that a run's folder lies in."""
    parent = run.resolve().parent
    return parent.parent if parent.name == "runs" else parent


def pseudonym(case: StoredCase, names: Names) -> str:
    """The pseudonym of a case."""
    return names.case(case.exercise, case.who)
