"""The log of events: one SQLite file that only grows.

An event is acknowledged after its transaction is on the disk (``synchronous=FULL``). Triggers
refuse to change or delete an event; whoever goes round them breaks the chain of hashes, which
`check_chain` finds. Several processes may write at the same time: a transaction that begins with
``BEGIN IMMEDIATE`` reads the last hash and adds one event.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import secrets
import sqlite3
import threading
from typing import TYPE_CHECKING, Self

from grader.decisions.events import (
    DECISIONS,
    START,
    Conflict,
    Draft,
    Event,
    Kind,
    canonical,
    chained,
    event_from,
    text_digest,
)
from grader.decisions.place import network_file_system
from grader.errors import PlatformError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

__all__ = ["FILE", "Log", "check_chain", "export", "open_existing"]

FILE = "decisions.sqlite"
_FORMAT = 1
_WAIT_SECONDS = 15.0
_SCHEMA = """
CREATE TABLE events (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE TABLE texts (
  seq INTEGER PRIMARY KEY REFERENCES events (seq), salt BLOB NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TRIGGER events_stay BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'an event cannot be changed'); END;
CREATE TRIGGER events_are_kept BEFORE DELETE ON events
  BEGIN SELECT RAISE(ABORT, 'an event cannot be deleted'); END;
CREATE TRIGGER events_follow BEFORE INSERT ON events
  WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM events)
  BEGIN SELECT RAISE(ABORT, 'an event can only be added at the end'); END;
CREATE TRIGGER texts_stay BEFORE UPDATE ON texts
  BEGIN SELECT RAISE(ABORT, 'a text cannot be changed'); END;
CREATE TRIGGER texts_go_with_their_case BEFORE DELETE ON texts
  WHEN NOT EXISTS (
    SELECT 1 FROM events AS purge JOIN events AS mine ON mine.seq = OLD.seq
    WHERE json_extract(purge.body, '$.kind') = 'purge' AND purge.seq > mine.seq
      AND json_extract(purge.body, '$.case') = json_extract(mine.body, '$.case')
  )
  BEGIN SELECT RAISE(ABORT, 'a text goes with the data of its case only'); END;
"""


class Log:
    """The log of one folder of results; safe to use from several threads.

    Args:
        folder: of the results; the log is its ``decisions.sqlite``, made when missing.

    Raises:
        UsageError: the folder is on a network file system, or the file is something else.
        PlatformError: the file cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        if kind := network_file_system(folder):
            raise UsageError(
                f"{folder} is on a network file system ({kind}), on which SQLite cannot lock: "
                "decisions could be lost; copy the folder to a local disk"
            )
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                self.path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._prepare()
            self._file = self._found()
        except sqlite3.Error as error:
            raise PlatformError(f"{self.path} cannot be opened: {error}") from error

    def _prepare(self) -> None:
        db = self._db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
        with self._transaction():
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and not db.execute("SELECT 1 FROM sqlite_schema").fetchone():
                for statement in _statements(_SCHEMA):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {_FORMAT}")
            elif version != _FORMAT:
                raise UsageError(
                    f"{self.path} has format {version}, and this version reads {_FORMAT}: "
                    "use the version of the grader that wrote it"
                )

    def _found(self) -> tuple[int, int] | None:
        """Which file stands at the log's place."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _check_place(self) -> None:
        """Hold that the open file is the one at the log's place.

        An open file outlives its name: what is written to it after it was moved or replaced would
        be acknowledged and be lost.
        """
        if self._found() != self._file:
            raise PlatformError(
                f"{self.path} was moved or replaced since it was opened, and nothing is stored: "
                "put it back, or start again"
            )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @property
    def last(self) -> int:
        """Number of the last event; 0 for an empty log."""
        with self._lock:
            found = self._db.execute("SELECT COALESCE(MAX(seq), 0) FROM events").fetchone()
        return int(found[0])

    def add(self, draft: Draft, *, seen: int | None = None) -> Event:
        """Add one event; when this returns, it is on the disk.

        Args:
            draft: what is to happen.
            seen: number of the last event that its author had seen; None where nothing can have
                changed what they decide.

        Returns:
            The event. A draft that is sent twice is one event: the second time, the first is given.

        Raises:
            Conflict: since then somebody decided on the same category.
            UsageError: the draft is not complete, or withdraws what is not its author's.
        """
        return self.add_all([draft], seen=seen)[0]

    def add_all(
        self,
        drafts: Sequence[Draft],
        *,
        seen: int | None = None,
        apart: Collection[str] = (),
        last: int | None = None,
    ) -> list[Event]:
        """Add several events, all or none; see `add`.

        Args:
            drafts: what is to happen.
            seen: see `add`.
            apart: categories in which opinions are independent, so that what others decide is no
                conflict.
            last: add only if this is still the number of the last event.
        """
        for draft in drafts:
            draft.check()
        try:
            with self._transaction():
                newest = self.last
                if last is not None and newest != last:
                    raise UsageError("something was decided meanwhile: look again")
                if seen is not None and seen > newest:
                    raise UsageError("this page is of another log of decisions: open it again")
                events = [self._insert(draft, seen, apart) for draft in drafts]
                self._check_place()
                return events
        except sqlite3.Error as error:
            raise PlatformError(f"{self.path} cannot be written: {error}") from error

    def _insert(self, draft: Draft, seen: int | None, apart: Collection[str] = ()) -> Event:
        if draft.kind is Kind.WITHDRAW:
            self._check_withdrawal(draft)
        if seen is not None:
            since = self._since(seen, draft.case)
            if sent := next((event for event in since if _same(event, draft)), None):
                return sent
            if draft.category in apart:
                since = [event for event in since if event.by == draft.by]
            if draft.category and (other := _decided(since, draft.category)):
                raise Conflict(other)
        row = self._db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        before, hashed = (row[0], row[1]) if row else (0, START)
        salt = secrets.token_bytes(16)
        event = Event(
            seq=before + 1,
            at=dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            kind=draft.kind,
            by=draft.by,
            case=draft.case,
            exercise=draft.exercise,
            category=draft.category,
            level=draft.level,
            machine=draft.machine,
            run=draft.run,
            scoring=draft.scoring,
            refers=draft.refers,
            data=draft.data,
            text_digest=text_digest(salt, draft.text) if draft.text else "",
        )
        body = canonical(event)
        new_hash = chained(hashed, body)
        self._db.execute("INSERT INTO events VALUES (?, ?, ?)", (event.seq, body, new_hash))
        if draft.text:
            self._db.execute("INSERT INTO texts VALUES (?, ?, ?)", (event.seq, salt, draft.text))
        return event_from(body, draft.text, new_hash)

    def _check_withdrawal(self, draft: Draft) -> None:
        found = next(self._read("WHERE e.seq = ?", (draft.refers,)), None)
        if found is None or found.kind not in {*DECISIONS, Kind.NOTE}:
            raise UsageError(f"event {draft.refers} is no decision or note")
        if found.by != draft.by or found.case != draft.case:
            raise UsageError(f"event {draft.refers} is {found.by}'s, who alone can withdraw it")

    def _since(self, seen: int, case: str) -> list[Event]:
        """What happened to a case after event `seen`, newest first."""
        where = "WHERE e.seq > ? AND json_extract(e.body, '$.case') = ?"
        return list(self._read(where, (seen, case)))[::-1]

    def events(self, *, after: int = 0, until: int | None = None) -> list[Event]:
        """The events after number `after`, up to number `until` where it is given, in order.

        Raises:
            PlatformError: the file cannot be read.
        """
        with self._lock:
            self._check_place()
            if until is not None:
                return list(self._read("WHERE e.seq > ? AND e.seq <= ?", (after, until)))
            return list(self._read("WHERE e.seq > ?", (after,)))

    def _read(self, where: str, values: tuple[object, ...]) -> Iterator[Event]:
        columns = "SELECT e.body, t.body, e.hash FROM events AS e LEFT JOIN texts AS t USING (seq)"
        query = f"{columns} {where} ORDER BY e.seq"  # the conditions are constants of this module
        try:
            for body, text, hashed in self._db.execute(query, values).fetchall():
                event = event_from(body, text, hashed)
                if not event.text_digest:
                    event = event_from(body, "", hashed)
                yield event
        except (sqlite3.Error, ValueError) as error:
            raise PlatformError(f"{self.path} cannot be read: {error}") from error

    def forget(self, draft: Draft) -> int:
        """Add a purge, and delete every text of its case; returns how many there were."""
        if draft.kind is not Kind.PURGE or not draft.case:
            raise UsageError("only a purge of one case deletes texts")
        try:
            with self._transaction() as db:
                event = self._insert(draft, None)
                self._check_place()
                gone = db.execute(
                    "DELETE FROM texts WHERE seq IN (SELECT seq FROM events "
                    "WHERE seq < ? AND json_extract(body, '$.case') = ?)",
                    (event.seq, draft.case),
                ).rowcount
            with self._lock:  # nothing of a text stays in the journal or in free pages
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._db.execute("VACUUM")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise PlatformError(f"{self.path} cannot be written: {error}") from error
        return int(gone)

    def rows(self) -> list[tuple[int, str, str, bytes | None, str | None]]:
        """Every event as it is stored: number, JSON, hash, and its text with salt."""
        query = (
            "SELECT e.seq, e.body, e.hash, t.salt, t.body FROM events AS e "
            "LEFT JOIN texts AS t USING (seq) ORDER BY e.seq"
        )
        with self._lock:
            try:
                return self._db.execute(query).fetchall()
            except sqlite3.Error as error:
                raise PlatformError(f"{self.path} cannot be read: {error}") from error


def _same(event: Event, draft: Draft) -> bool:
    """Whether an event came of the same draft, which was sent before."""
    names = ("kind", "by", "category", "level", "run", "scoring", "refers", "data", "text")
    return all(getattr(event, name) == getattr(draft, name) for name in names)


def _decided(events: Sequence[Event], category: str) -> Event | None:
    """The first of some events by which a category's level may have changed."""
    changing = {*DECISIONS, Kind.WITHDRAW}
    return next((e for e in events if e.category == category and e.kind in changing), None)


def open_existing(folder: Path) -> Log | None:
    """The log of a folder that has one."""
    return Log(folder) if (folder / FILE).is_file() else None


def check_chain(log: Log) -> list[str]:
    """What is wrong with a log, one sentence each; empty if every event is as it was written."""
    found: list[str] = []
    before, purged = START, _purged(log)
    for place, (seq, body, hashed, salt, text) in enumerate(log.rows(), 1):
        if seq != place:
            found.append(f"event {place} is missing")
            break
        if chained(before, body) != hashed:
            found.append(f"event {seq} is not as it was written, or the one before it is not")
        before = hashed
        try:
            event = event_from(body, text, hashed)
        except ValueError as error:
            found.append(f"event {seq}: {error}")
            continue
        if event.seq != seq or canonical(event) != body:
            found.append(f"event {seq} is not in its canonical form")
        found += _about_text(event, salt, text, purged.get(event.case, 0))
    return found


def _about_text(event: Event, salt: bytes | None, text: str | None, purged: int) -> list[str]:
    if text is None or salt is None:
        lost = event.text_digest and purged < event.seq
        return [f"the text of event {event.seq} is gone without a purge"] if lost else []
    if text_digest(salt, text) != event.text_digest:
        return [f"the text of event {event.seq} is not as it was written"]
    return []


def _purged(log: Log) -> dict[str, int]:
    """Case → number of its last purge."""
    return {e.case: e.seq for e in log.events() if e.kind is Kind.PURGE}


def export(log: Log) -> bytes:
    """All events as JSON lines in order; the same log gives the same bytes."""
    lines = []
    for seq, body, hashed, salt, text in log.rows():
        row = {
            "seq": seq,
            "event": json.loads(body),
            "hash": hashed,
            "salt": None if salt is None else salt.hex(),
            "text": text,
        }
        lines.append(json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True))
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _statements(schema: str) -> Iterator[str]:
    """A schema's statements, whose triggers hold semicolons of their own."""
    pending = ""
    for line in schema.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
