"""An ASGI application as a server sees it: its lifespan, and one request at a time.

Nothing here listens or connects. A request is plain data, and so is what the application sent.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

__all__ = ["Answer", "Lifespan", "ServiceError", "exchange"]

MAX_BODY = 4 << 20
MAX_HEADERS = 1 << 16
_VERSION = {"version": "3.0", "spec_version": "2.3"}
_CLIENT, _SERVER = ("192.0.2.1", 50000), ("service.test", 80)
_BROKEN = b"Internal Server Error"
_CALLED_ASGI = "the app is not an ASGI 3 application"


class ServiceError(RuntimeError):
    """The application breaks the protocol between server and application."""


@dataclass
class Answer:
    """What the application sent for one request.

    Attributes:
        error: what it raised, or how it broke the protocol; of a whole response only the former.
    """

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False
    error: BaseException | None = None


def _called(app: Any, *args: object) -> Awaitable[object]:  # noqa: ANN401 - the candidate's
    try:
        made = app(*args)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:
            raise ServiceError(f"{_CALLED_ASGI}: {error}") from error
        raise
    if not inspect.isawaitable(made):
        raise ServiceError(f"{_CALLED_ASGI}: calling it gave a {type(made).__name__}")
    return made


def _pairs(headers: object) -> list[tuple[bytes, bytes]]:
    if not isinstance(headers, Iterable):
        raise ServiceError("the headers of a response are not pairs of bytes")
    found = []
    for item in headers:
        pair = tuple(item) if isinstance(item, Iterable) else ()
        if len(pair) != 2 or not all(isinstance(part, bytes) for part in pair):  # noqa: PLR2004
            raise ServiceError("the headers of a response are not pairs of bytes")
        found.append((bytes(pair[0]), bytes(pair[1])))
    if sum(len(name) + len(value) for name, value in found) > MAX_HEADERS:
        raise ServiceError(f"the headers of a response are larger than {MAX_HEADERS >> 10} KiB")
    return found


class _Sender:
    """``send`` for one request: holds that messages come in the order of the protocol."""

    def __init__(self, answer: Answer, done: asyncio.Event) -> None:
        self._answer = answer
        self._done = done

    async def __call__(self, message: Mapping[str, Any]) -> None:
        try:
            self._take(message)
        except ServiceError as error:
            self._answer.error = self._answer.error or error
            self._done.set()
            raise

    def _take(self, message: Mapping[str, Any]) -> None:
        answer, kind = self._answer, message.get("type")
        if answer.whole:
            raise ServiceError(f"the app sent {kind!r} after the end of its response")
        if kind == "http.response.start":
            if answer.status:
                raise ServiceError("the app started its response twice")
            status = message.get("status")
            if not isinstance(status, int) or not 200 <= status <= 599:  # noqa: PLR2004
                raise ServiceError(f"{status!r} is no status of a response")
            answer.headers = _pairs(message.get("headers", ()))
            answer.status = int(status)
        elif kind == "http.response.body":
            if not answer.status:
                raise ServiceError("the app sent a body without starting its response")
            body = message.get("body", b"")
            if not isinstance(body, bytes | bytearray | memoryview):
                raise ServiceError(f"a body is bytes, not {type(body).__name__}")
            answer.body += body
            if len(answer.body) > MAX_BODY:
                raise ServiceError(f"the body of a response is larger than {MAX_BODY >> 20} MiB")
            if not message.get("more_body", False):
                answer.whole = True
                self._done.set()
        else:
            raise ServiceError(f"the app sent {kind!r}, which is no part of a response")


def _scope(request: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": dict(_VERSION),
        "http_version": "1.1",
        "scheme": "http",
        "method": request["method"],
        "path": unquote(request["path"]),
        "raw_path": request["path"].encode("ascii"),
        "query_string": request["query"],
        "root_path": "",
        "headers": [(bytes(name), bytes(value)) for name, value in request["headers"]],
        "client": _CLIENT,
        "server": _SERVER,
        "state": dict(state),
    }


async def exchange(
    app: Callable[..., Any],
    request: Mapping[str, Any],
    state: Mapping[str, Any],
    gone: asyncio.Event,
) -> Answer:
    """Put one request to the application.

    What it raises before its response has begun becomes the plain 500 that servers send.

    Args:
        app: the application.
        request: ``method``, ``path`` (percent-encoded), ``query``, ``headers`` and the body's
            ``chunks``.
        state: what the lifespan left for requests.
        gone: set when the client goes away.
    """
    answer, done = Answer(), asyncio.Event()
    chunks = list(request["chunks"]) or [b""]

    async def receive() -> dict[str, object]:
        if chunks and not gone.is_set():
            body = chunks.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(chunks)}
        waits = [asyncio.ensure_future(event.wait()) for event in (gone, done)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return {"type": "http.disconnect"}

    try:
        await _called(app, _scope(request, state), receive, _Sender(answer, done))
    except BaseException as error:  # noqa: BLE001 - exits are what it does, too
        answer.error = answer.error or error
        if not answer.status and not isinstance(answer.error, ServiceError):
            answer.status, answer.whole = 500, True
            answer.headers = [(b"content-type", b"text/plain; charset=utf-8")]
            answer.body[:] = _BROKEN
    done.set()
    if not answer.whole and answer.error is None:
        what = "ending its response" if answer.status else "starting a response"
        answer.error = ServiceError(f"the app returned without {what}")
    if request["method"] == "HEAD":
        answer.body.clear()
    return answer


class Lifespan:
    """Start and stop of an application.

    One that raises before it has answered the start, or returns, has no lifespan.
    """

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app
        self._messages: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self._answers: dict[str, asyncio.Event] = {}
        self._failed = ""
        self._task: asyncio.Task[None] | None = None
        self._started = False
        self.state: dict[str, Any] = {}

    async def start(self, seconds: float) -> None:
        """Start it.

        Raises:
            ServiceError: it says that it failed, is no ASGI application, or does not answer.
        """
        self._task = asyncio.ensure_future(self._run())
        await self._tell("startup", seconds)
        self._started = not self._task.done()

    async def stop(self, seconds: float) -> None:
        """Stop it; the same errors."""
        if self._started:
            self._started = False
            await self._tell("shutdown", seconds)

    async def _tell(self, what: str, seconds: float) -> None:
        if self._task is None:
            return
        answered = self._answers[what] = asyncio.Event()
        self._messages.put_nowait({"type": f"lifespan.{what}"})
        waiting = asyncio.ensure_future(answered.wait())
        await asyncio.wait(
            (waiting, self._task), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        if self._failed:
            raise ServiceError(f"the app's {what} failed: {self._failed}")
        if not answered.is_set() and not self._task.done():
            raise ServiceError(f"the app does not answer the lifespan's {what} in {seconds:g} s")
        if what == "shutdown" and not answered.is_set():
            raise ServiceError("the app's lifespan ended without an answer to its shutdown")

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": dict(_VERSION), "state": self.state}
        try:
            await _called(self._app, scope, self._messages.get, self._send)
        except ServiceError as error:
            self._failed = self._failed or str(error)
        except (SystemExit, KeyboardInterrupt) as error:
            self._failed = f"it raised {type(error).__name__}"
        except Exception:  # noqa: BLE001, S110 - it has no lifespan, as servers take it
            pass

    async def _send(self, message: Mapping[str, Any]) -> None:
        kind = str(message.get("type"))
        what, _, how = kind.removeprefix("lifespan.").partition(".")
        if what not in self._answers or how not in {"complete", "failed"}:
            raise ServiceError(f"the app sent {kind!r}, which is no answer to its lifespan")
        if how == "failed":
            self._failed = str(message.get("message") or "it gives no reason")
        self._answers[what].set()
