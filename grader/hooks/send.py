"""Sending: one POST with a signature, tried again with growing pauses.

The signature is an HMAC with SHA-256 over the time, a dot and the body, so that a message can
neither be made up nor be played again after its time. Redirects are not followed.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from grader.errors import GraderError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from grader.hooks.outbox import Message, Outbox

__all__ = ["Hook", "Sender", "hook_from", "is_genuine", "send_due", "signature"]

_SECONDS = 10.0
_LOCAL = {"127.0.0.1", "localhost", "::1"}
_AGAIN = {408, 409, 425, 429}  # of the answers that blame the sender, those that may pass
_LEAST_SECRET = 16
_SAID = 200
_OLDEST = 300.0


@dataclass(frozen=True, slots=True)
class Hook:
    """A receiver.

    Attributes:
        url: where messages go; https, or this machine.
        secret: shared with the receiver.
    """

    url: str
    secret: bytes = field(repr=False)


def hook_from(url: str, secret_file: Path | None) -> Hook:
    """A receiver as the command line names it.

    Raises:
        UsageError: the address is no https address, or the secret is missing or too short.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise UsageError(f"{url!a} is no address such as https://ats.example.org/hooks/grade")
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        raise UsageError(f"{url} is not encrypted; use https for another machine")
    if secret_file is None:
        raise UsageError("--hook needs --hook-secret FILE: the receiver checks signatures with it")
    try:
        secret = secret_file.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"{secret_file} cannot be read: {error.strerror}") from error
    if len(secret) < _LEAST_SECRET:
        raise UsageError(f"{secret_file} holds fewer than {_LEAST_SECRET} characters")
    return Hook(url, secret)


def signature(secret: bytes, moment: int, body: str) -> str:
    """The value of ``X-Grade-Signature``."""
    digest = hmac.new(secret, f"{moment}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def is_genuine(secret: bytes, header: str, body: str, now: float) -> bool:
    """What a receiver checks: the signature fits, and is not older than five minutes."""
    fields = dict(part.partition("=")[::2] for part in header.split(","))
    moment = fields.get("t", "")
    if not moment.isascii() or not moment.isdigit() or abs(now - int(moment)) > _OLDEST:
        return False
    return hmac.compare_digest(header, signature(secret, int(moment), body))


def send_due(outbox: Outbox, hook: Hook) -> int:
    """Try every message whose time has come; returns how many arrived."""
    arrived = 0
    for message in outbox.due():
        if message.url != hook.url:
            continue
        said, for_good = _post(hook, message)
        if said:
            outbox.failed(message, said, for_good=for_good)
        else:
            outbox.sent(message)
            arrived += 1
    return arrived


def _post(hook: Hook, message: Message) -> tuple[str, bool]:
    """Send one message; says what went wrong, and whether it is no use to try again."""
    parts = urlsplit(hook.url)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "takehome-grader",
        "Idempotency-Key": message.key,
        "X-Grade-Attempt": str(message.attempts + 1),
        "X-Grade-Signature": signature(hook.secret, int(time.time()), message.body),
    }
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=_SECONDS, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        connection.request("POST", path, message.body.encode(), headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"[:_SAID], False
    finally:
        connection.close()
    if 200 <= status < 300:  # noqa: PLR2004 - all that say yes
        return "", False
    refused = 400 <= status < 500 and status not in _AGAIN  # noqa: PLR2004 - the sender's fault
    return f"answered {status}", refused


class Sender:
    """A thread that makes messages and sends them, until it is closed.

    Args:
        outbox: of the folder.
        hook: the receiver.
        collect: puts new messages into the outbox; called before each round.
    """

    def __init__(self, outbox: Outbox, hook: Hook, collect: Callable[[], None]) -> None:
        self._outbox, self._hook, self._collect = outbox, hook, collect
        self._wake, self._end = threading.Event(), False
        self._thread = threading.Thread(target=self._work, name="hooks", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something happened: look now."""
        self._wake.set()

    def close(self) -> None:
        """One more round, then the end."""
        self._end = True
        self._wake.set()
        self._thread.join(timeout=2 * _SECONDS)

    def _work(self) -> None:
        while True:
            ending = self._end
            self._wake.clear()
            try:
                self._collect()
                send_due(self._outbox, self._hook)
                due = self._outbox.next_due()
            except GraderError:
                due = time.time() + _SECONDS  # a full disk may be emptied
            if ending:
                return
            wait = None if due is None else max(0.05, due - time.time())
            self._wake.wait(wait)
