"""Who is at the other end: one-time links that become a signed cookie.

A cookie names the reviewer, their role and when it ends, signed with a key of the folder's own, so
that it outlives a restart and nothing about it is stored. Of a link only the digest is kept.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import hmac
import json
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.decisions.events import Draft, Kind
from grader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.decisions.fold import State
    from grader.review.board import Board

__all__ = ["HOURS", "Person", "Sessions", "invite"]

HOURS = 12
INVITATION_DAYS = 7
_ATTEMPTS = 5
_MOST_COOKIE = 1024
_MOST_NAME = 60


@dataclass(frozen=True, slots=True)
class Person:
    """A reviewer.

    Attributes:
        name: as events have it.
        organiser: may unblind an exercise.
    """

    name: str
    organiser: bool = False


def checked_name(name: str) -> str:
    """A reviewer's name without white space around it.

    Raises:
        UsageError: it is empty, too long, or holds what cannot be printed.
    """
    name = name.strip()
    if not name or len(name) > _MOST_NAME or not name.isprintable():
        raise UsageError(f"a reviewer's name has 1 to {_MOST_NAME} printable characters")
    return name


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class Sessions:
    """Links and cookies of one server.

    Args:
        board: whose key signs, and whose log holds the invitations.
        organiser: name of who started the server.
        clock: seconds since the epoch.
    """

    def __init__(
        self, board: Board, organiser: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self.organiser = organiser
        self._board, self._clock = board, clock
        self._key = board.names.derived("sessions")
        self._links: dict[str, Person] = {}
        self._lock = threading.Lock()

    def link(self, person: Person) -> str:
        """A token that lets this person in once, as long as this server runs."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._links[_digest(token)] = person
        return token

    def enter(self, token: str) -> Person | None:
        """Whom a printed link lets in; a second time it lets nobody in."""
        with self._lock:
            return self._links.pop(_digest(token), None)

    def is_invitation(self, token: str) -> bool:
        """Whether somebody may join with this token. It stays as good as it was."""
        self._board.refresh()
        return bool(self._invited(_digest(token), self._board.state))

    def join(self, token: str) -> Person | None:
        """Use an invitation, which the log remembers.

        Another process may let somebody in by the same link at the same moment: this one does only
        if nothing happened since it looked.
        """
        digest = _digest(token)
        with self._lock:
            for _ in range(_ATTEMPTS):
                self._board.refresh()
                state = self._board.state
                name = self._invited(digest, state)
                if not name:
                    return None
                with contextlib.suppress(UsageError):
                    joined = Draft(Kind.JOIN, name, data=(digest,))
                    self._board.log.add_all([joined], last=state.last)
                    self._board.refresh()
                    return Person(name)
        return None

    def _invited(self, digest: str, state: State) -> str:
        """Whom an invitation is for; empty where there is none, or it was used or is over."""
        invited = state.invited.get(digest)
        if invited is None or digest in state.joined or self._is_over(invited.at):
            return ""
        return invited.data[1]

    def _is_over(self, at: str) -> bool:
        made = dt.datetime.fromisoformat(at).timestamp()
        return self._clock() - made > INVITATION_DAYS * 86_400

    def cookie(self, person: Person) -> str:
        """A signed value that stands for a person for some hours."""
        body = {
            "name": person.name,
            "organiser": person.organiser,
            "until": int(self._clock()) + HOURS * 3600,
            "nonce": secrets.token_hex(8),
        }
        raw = base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")
        return f"{raw}.{self._signature(raw)}"

    def person(self, cookie: str) -> Person | None:
        """Whom a cookie stands for; nobody where it is forged, damaged or over."""
        raw, _, signature = cookie.partition(".")
        if len(cookie) > _MOST_COOKIE or not hmac.compare_digest(
            signature.encode("utf-8", "replace"), self._signature(raw).encode()
        ):
            return None
        body = json.loads(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
        if body["until"] < self._clock():
            return None
        return Person(body["name"], body["organiser"])

    def proxied(self, values: list[str]) -> Person | None:
        """Whom an authenticating proxy names; nobody where it names none or several."""
        try:
            name = checked_name(values[0]) if len(values) == 1 else ""
        except UsageError:
            return None
        return Person(name, name == self.organiser) if name else None

    def _signature(self, raw: str) -> str:
        digest = hmac.digest(self._key, raw.encode("utf-8", "replace"), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def invite(board: Board, name: str, by: str) -> str:
    """Make a link for a colleague; the log keeps its digest, and the token is told once."""
    token = secrets.token_urlsafe(32)
    board.log.add(Draft(Kind.INVITE, by, data=(_digest(token), checked_name(name))))
    return token
