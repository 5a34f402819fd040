"""Deleting a candidate's data from a folder of results, with what can be said of the rest.

Gone are the runs (report, pages, transcript, submitted files), the candidate's rows in tables, and
every reason and note that somebody wrote about them. What stays is the log of decisions: levels
under a pseudonym, for statistics, in a chain that still checks.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from grader.collect.cases import FILE, Cases, read_cases, without
from grader.decisions.events import Draft, Kind
from grader.decisions.log import Log, open_existing
from grader.decisions.names import open_names
from grader.errors import UsageError
from grader.files import write_whole
from grader.hooks.outbox import FILE as HOOKS
from grader.hooks.outbox import Outbox
from grader.report.report_json import read_report
from grader.report.tables import write_csv

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from grader.collect.cases import StoredCase
    from grader.decisions.names import Names

__all__ = ["CANNOT_REACH", "Plan", "plan", "purge"]

TABLE = "collected.csv"
_TABLES = (TABLE, "gradebook-*.csv")
CANNOT_REACH = (
    "the submissions themselves, where they were collected from, and the roster",
    "copies of results, gradebooks and feedback that left this folder, and backups of it",
    "what hooks and platforms were told, such as a classroom's gradebook or a comment on a commit",
    "free text of reviewers that names the candidate in a note on somebody else",
    "blocks of deleted files on the disk, until they are overwritten",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a purge deletes.

    Attributes:
        who: the candidates, as tables call them.
        cases: theirs.
        runs: folders that nobody else's case rests on.
        kept: folders that stay, because somebody else sent the same files.
        tables: files that lose rows.
        pages: files that are deleted whole, and made again by the next collection.
        log: pseudonyms whose texts go, with the exercise or stage of each.
    """

    who: tuple[str, ...]
    cases: tuple[StoredCase, ...]
    runs: tuple[Path, ...]
    kept: tuple[Path, ...]
    tables: tuple[Path, ...]
    pages: tuple[Path, ...]
    log: tuple[tuple[str, str], ...]


def plan(
    folder: Path,
    *,
    who: str = "",
    older_than: dt.timedelta | None = None,
    now: dt.datetime | None = None,
) -> Plan:
    """What would be deleted; nothing is changed.

    Args:
        folder: of results.
        who: one candidate, as the table calls them.
        older_than: candidates all of whose runs began longer ago.
        now: the present.

    Raises:
        UsageError: the folder knows nobody of that name.
    """
    stored = read_cases(folder)
    known = {person.identifier for person in stored.people}
    if who:
        if who not in known:
            raise UsageError(f"{folder} knows nobody called {who!a}; give the name of the table")
        names = {who}
    else:
        limit = (now or dt.datetime.now(dt.UTC)) - (older_than or dt.timedelta())
        names = set(_old(folder, stored, limit))
    cases = tuple(case for case in stored.cases if case.who in names)
    others = {case.run for case in stored.cases if case.who not in names}
    mine = dict.fromkeys(case.run for case in cases)
    shared = {run for run in mine if run in others}
    runs = [*(run for run in mine if run not in shared), *_superseded(folder, cases, others)]
    tables = sorted(path for pattern in _TABLES for path in folder.glob(pattern))
    pages = [path for path in (folder / "index.html", folder / "shard.json") if path.is_file()]
    return Plan(
        who=tuple(sorted(names)),
        cases=cases,
        runs=tuple(folder / run for run in dict.fromkeys(runs)),
        kept=tuple(folder / run for run in sorted(shared)),
        tables=tuple(tables) if names else (),
        pages=tuple(pages) if names else (),
        log=tuple(_in_log(folder, names, stored, open_names(folder))) if names else (),
    )


def _old(folder: Path, stored: Cases, limit: dt.datetime) -> Iterable[str]:
    newest: dict[str, dt.datetime] = {}
    for case in stored.cases:
        started = read_report(folder / case.run / "report.json")["volatile"]["started"]
        moment = dt.datetime.fromisoformat(started)
        newest[case.who] = max(newest.get(case.who, moment), moment)
    return (who for who, moment in newest.items() if moment < limit)


def _superseded(folder: Path, cases: Iterable[StoredCase], others: set[str]) -> list[str]:
    """Earlier runs of the same submissions, which no case rests on any more."""
    digests = {(case.exercise, case.digest) for case in cases if case.digest}
    found = []
    for path in sorted(folder.glob("**/report.json")):
        run = path.parent.relative_to(folder).as_posix()
        if run in others:
            continue
        report = read_report(path)
        if (report["exercise"]["id"], report["submission"]["digest"]) in digests:
            found.append(run)
    return found


def _in_log(folder: Path, who: set[str], stored: Cases, names: Names) -> Iterable[tuple[str, str]]:
    """Every pseudonym of some candidates in the log, of exercises and of stages."""
    log = open_existing(folder)
    if log is None:
        return
    with log:
        events = log.events()
    stages = {event.exercise for event in events if event.exercise}
    present = {event.case for event in events if event.case}
    exercises = {case.exercise for case in stored.cases}
    for stage in sorted(stages | exercises):
        for name in sorted(who):
            alias = names.case(stage, name)
            if alias in present:
                yield alias, stage


def purge(folder: Path, found: Plan, by: str) -> int:
    """Delete what a plan names; returns how many texts of the log went.

    The list of cases goes last: whatever interrupts a purge, the same command does the rest.

    Args:
        folder: of results.
        found: what `plan` said.
        by: who deletes, for the log.
    """
    gone = 0
    if found.log:
        with Log(folder) as log:
            for alias, stage in found.log:
                gone += log.forget(Draft(Kind.PURGE, by, alias, stage))
    if (folder / HOOKS).is_file():
        with Outbox(folder) as outbox:
            outbox.forget(_aliases(folder, found.who))
    stored = read_cases(folder)
    for path in found.tables:
        _without_rows(path, set(found.who), stored)
    for path in found.pages:
        path.unlink(missing_ok=True)
    for run in found.runs:
        shutil.rmtree(run, ignore_errors=True)
        if run.exists():
            raise UsageError(f"{run} cannot be deleted whole: delete it by hand, then try again")
    if (folder / FILE).is_file():
        for who in found.who:
            stored = without(stored, who)
        data = msgspec.json.format(msgspec.json.encode(stored), indent=1) + b"\n"
        write_whole(folder / FILE, data)
    return gone


def _aliases(folder: Path, who: Iterable[str]) -> set[str]:
    """Every pseudonym of some candidates in the exercises of a folder."""
    names = open_names(folder)
    exercises = {case.exercise for case in read_cases(folder).cases}
    return {names.case(exercise, name) for exercise in exercises for name in who}


def _without_rows(path: Path, who: set[str], stored: Cases) -> None:
    """A table without the rows in which a cell is a name of one of these candidates."""
    theirs = {
        name.casefold()
        for person in stored.people
        if person.identifier in who
        for name in (person.identifier, person.username, person.email, person.number)
        if name
    }
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))
    kept = [
        row for row in rows[1:] if not any(cell.lstrip("'").casefold() in theirs for cell in row)
    ]
    if rows and len(kept) < len(rows) - 1:
        write_whole(path, write_csv(rows[0], kept))
