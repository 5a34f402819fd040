"""What is to be sent, kept until it was: one SQLite file beside the results.

A message has a key that follows from what it is about. To put it in a second time changes nothing,
and the receiver gets the key with every attempt, so it can tell a repetition too.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from grader.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["FILE", "MOST_ATTEMPTS", "Message", "Outbox"]

FILE = "hooks.sqlite"
MOST_ATTEMPTS = 8
_FIRST_WAIT, _LONGEST_WAIT = 2.0, 600.0  # seconds
_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
  key TEXT PRIMARY KEY, url TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL, due REAL NOT NULL, said TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS taken (url TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        key: names what it is about; the same for every attempt.
        body: JSON.
        state: ``waiting``, ``sent``, or ``dead`` where it was given up.
        attempts: that were made.
        due: when the next one is, seconds since the epoch.
        said: what went wrong last.
    """

    key: str
    url: str
    body: str
    state: str
    attempts: int
    due: float
    said: str


class Outbox:
    """The messages of one folder of results; safe to use from several threads and processes.

    Args:
        folder: of results.
        clock: seconds since the epoch.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.path, self._clock = folder / FILE, clock
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(
                self.path, timeout=15, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise PlatformError(f"{self.path} cannot be opened: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def put(self, key: str, url: str, content: Mapping[str, object]) -> bool:
        """Keep a message to be sent; False where it is there already."""
        body = json.dumps({"id": key, **content}, sort_keys=True, separators=(",", ":"))
        added = self._run(
            "INSERT OR IGNORE INTO messages VALUES (?, ?, ?, 'waiting', 0, ?, '')",
            (key, url, body, self._clock()),
        )
        return added.rowcount == 1

    def due(self) -> list[Message]:
        """Messages whose next attempt is now, oldest first."""
        return self._read("state = 'waiting' AND due <= ? ORDER BY due", (self._clock(),))

    def all(self) -> list[Message]:
        """Every message."""
        return self._read("1 ORDER BY due", ())

    def next_due(self) -> float | None:
        """When the next attempt is; None if nothing waits."""
        found = self._run("SELECT MIN(due) FROM messages WHERE state = 'waiting'", ()).fetchone()
        return None if found[0] is None else float(found[0])

    def sent(self, message: Message) -> None:
        """It arrived."""
        self._run(
            "UPDATE messages SET state = 'sent', attempts = attempts + 1, said = '' WHERE key = ?",
            (message.key,),
        )

    def failed(self, message: Message, said: str, *, for_good: bool) -> None:
        """It did not arrive: try later, twice as long each time; give up after eight attempts."""
        attempts = message.attempts + 1
        dead = for_good or attempts >= MOST_ATTEMPTS
        wait = min(_FIRST_WAIT * 2 ** (attempts - 1), _LONGEST_WAIT)
        self._run(
            "UPDATE messages SET state = ?, attempts = ?, due = ?, said = ? WHERE key = ?",
            ("dead" if dead else "waiting", attempts, self._clock() + wait, said, message.key),
        )

    def revive(self) -> int:
        """Let every message that was given up be tried again; returns how many there were."""
        return self._run(
            "UPDATE messages SET state = 'waiting', attempts = 0, due = ? WHERE state = 'dead'",
            (self._clock(),),
        ).rowcount

    def taken(self, url: str, first: int) -> int:
        """Number of the last event of a log that messages to `url` were made of.

        Args:
            url: of the receiver.
            first: the number to begin with where none were made yet.
        """
        self._run("INSERT OR IGNORE INTO taken VALUES (?, ?)", (url, first))
        found = self._run("SELECT seq FROM taken WHERE url = ?", (url,)).fetchone()
        return int(found[0])

    def take(self, url: str, seq: int) -> None:
        """Messages were made of all events up to `seq`."""
        self._run("UPDATE taken SET seq = MAX(seq, ?) WHERE url = ?", (seq, url))

    def forget(self, cases: set[str]) -> None:
        """Delete every message about some cases."""
        for message in self.all():
            if json.loads(message.body).get("case") in cases:
                self._run("DELETE FROM messages WHERE key = ?", (message.key,))

    def _read(self, where: str, values: tuple[object, ...]) -> list[Message]:
        columns = "SELECT key, url, body, state, attempts, due, said FROM messages WHERE"
        return [Message(*row) for row in self._run(f"{columns} {where}", values).fetchall()]

    def _run(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        with self._lock:
            try:
                return self._db.execute(statement, values)
            except sqlite3.Error as error:
                raise PlatformError(f"{self.path} cannot be used: {error}") from error
