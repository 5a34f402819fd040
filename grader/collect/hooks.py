"""What hooks are told: that a run was graded, and what was decided on it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from grader.decisions.events import DECISIONS, Kind
from grader.report.decided import run_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grader.collect.book import Row
    from grader.decisions.log import Log
    from grader.decisions.names import Names
    from grader.hooks.outbox import Outbox

__all__ = ["put_decided", "put_graded"]

SCHEMA = "hook/1"


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def put_graded(outbox: Outbox, url: str, rows: Iterable[Row], names: Names, *, named: bool) -> int:
    """A message for each graded submission that counts; returns how many are new.

    Args:
        outbox: of the folder.
        url: of the receiver.
        rows: of the table.
        names: give the pseudonyms.
        named: tell the candidate's identifier as well.
    """
    new = 0
    for row in rows:
        report = row.report
        if row.state != "graded" or report is None:
            continue
        case = names.case(report.exercise_id, row.person.identifier)
        card = report.machine_card
        content: dict[str, object] = {
            "schema": SCHEMA,
            "kind": "graded",
            "case": case,
            "exercise": report.exercise_id,
            "exercise_version": report.exercise_version,
            "run": run_digest(report),
            "scoring": report.run.scoring_digest,
            "score": card.overall,
            "band": card.band.value,
            "levels": {c.id: int(c.level) for c in card.categories if c.assessed},
        }
        if named:
            content["candidate"] = row.person.identifier
        key = _key("graded", url, case, run_digest(report), report.run.scoring_digest)
        new += outbox.put(key, url, content)
    return new


def put_decided(outbox: Outbox, url: str, log: Log) -> None:
    """A message for each decision and withdrawal since the last time; nothing is left out.

    The first time for a receiver, it begins with what is decided from then on.
    """
    last = outbox.taken(url, log.last)
    for event in log.events(after=last):
        if event.kind in DECISIONS or event.kind is Kind.WITHDRAW:
            content: dict[str, object] = {
                "schema": SCHEMA,
                "kind": "decided",
                "event": event.seq,
                "at": event.at,
                "what": event.kind.value,
                "by": event.by,
                "case": event.case,
                "exercise": event.exercise,
                "category": event.category,
                "level": event.level,
                "machine": event.machine,
                "run": event.run,
                "scoring": event.scoring,
                "refers": event.refers or None,
            }
            outbox.put(_key("decided", url, event.hash), url, content)
        outbox.take(url, event.seq)
