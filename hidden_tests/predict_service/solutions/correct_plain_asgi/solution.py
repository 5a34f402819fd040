"""The classifier as a bare ASGI application: one class, a table of routes."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from inference import InferenceError, run_inference

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MAX_BODY, MAX_TEXT = 200_000, 10_000
STRING = {"type": "string"}
ANSWER = {
    "type": "object",
    "properties": {
        "sha256": STRING,
        "label": STRING,
        "confidence": {"type": "number"},
        "cached": {"type": "boolean"},
    },
    "required": ["sha256", "label", "confidence", "cached"],
}
QUERY = {
    "type": "object",
    "properties": {"text": {**STRING, "minLength": 1, "maxLength": MAX_TEXT}},
    "required": ["text"],
}


def content(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON body in the contract."""
    return {"content": {"application/json": {"schema": schema}}}


CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "Classifier", "version": "1.0"},
    "paths": {
        "/predict": {
            "post": {
                "requestBody": content(QUERY),
                "responses": {"200": {"description": "classified", **content(ANSWER)}},
            }
        }
    },
}


class HttpError(Exception):
    """An error that a caller is told."""

    def __init__(self, status: int, code: str, message: str, allow: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.allow = allow


class Service:
    """An ASGI application.

    Its dicts are changed between two awaits of one event loop, so requests cannot get in each
    other's way. They are in memory: another process knows nothing of them.
    """

    def __init__(self, timeout: float, max_entries: int) -> None:
        self.timeout = timeout
        self.max_entries = max_entries
        self.cache: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.running: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self.routes: dict[str, tuple[str, Callable[[bytes], Awaitable[dict[str, Any]]]]] = {
            "/predict": ("POST", self.predict),
            "/healthz": ("GET", self.healthz),
            "/openapi.json": ("GET", self.contract),
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the lifespan or a request."""
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        headers = [(b"content-type", b"application/json")]
        try:
            status, answer = 200, await self.answer(scope, receive)
        except HttpError as error:
            status, answer = error.status, {"error": {"code": error.code, "message": str(error)}}
            if error.allow:
                headers.append((b"allow", error.allow.encode()))
        except Exception as error:
            told = f"the service failed ({type(error).__name__})"
            status, answer = 500, {"error": {"code": "internal_error", "message": told}}
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    async def live(self, receive: Any, send: Any) -> None:
        """Start and stop when the server says so."""
        for what in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{what}.complete"})

    async def answer(self, scope: Any, receive: Any) -> dict[str, Any]:
        """Find the handler and give it the body."""
        if scope["path"] not in self.routes:
            raise HttpError(404, "not_found", "there is no such path")
        method, handler = self.routes[scope["path"]]
        if scope["method"] != method:
            raise HttpError(405, "method_not_allowed", f"the method is {method}", allow=method)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY:
                raise HttpError(413, "too_large", f"a body has at most {MAX_BODY} bytes")
        return await handler(body)

    async def healthz(self, _body: bytes) -> dict[str, Any]:
        """Say that the service is up."""
        return {"status": "ok"}

    async def contract(self, _body: bytes) -> dict[str, Any]:
        """Give the contract."""
        return CONTRACT

    async def predict(self, body: bytes) -> dict[str, Any]:
        """Classify a document."""
        text = read_text(body)
        key = hashlib.sha256(text.encode()).hexdigest()
        if key in self.cache:
            self.cache.move_to_end(key)
            return {"sha256": key, **self.cache[key], "cached": True}
        task = self.running.get(key)
        if task is None:
            task = self.running[key] = asyncio.create_task(asyncio.to_thread(run_inference, text))
            task.add_done_callback(lambda done: self.finish(key, done))
        await asyncio.wait([task], timeout=self.timeout)
        if not task.done():
            if self.running.get(key) is task:
                del self.running[key]
            raise HttpError(504, "timeout", "the model takes too long")
        try:
            return {"sha256": key, **task.result(), "cached": False}
        except InferenceError as error:
            raise HttpError(502, "inference_failed", "the model failed") from error

    def finish(self, key: str, done: asyncio.Task[dict[str, Any]]) -> None:
        """Keep a result that somebody waits for."""
        failed = done.cancelled() or done.exception()
        if self.running.get(key) is done:
            del self.running[key]
            if not failed:
                self.cache[key] = done.result()
                if len(self.cache) > self.max_entries:
                    self.cache.popitem(last=False)


def read_text(body: bytes) -> str:
    """The text in a body.

    Raises:
        HttpError: there is none, or it is too short or too long.
    """
    try:
        query = json.loads(body)
    except ValueError as error:
        raise HttpError(422, "invalid_request", "the body with the text is no JSON") from error
    text = query.get("text") if isinstance(query, dict) else None
    if not isinstance(text, str):
        raise HttpError(422, "invalid_request", "text is missing or no string")
    if not 1 <= len(text) <= MAX_TEXT:
        raise HttpError(422, "invalid_request", f"text has 1 to {MAX_TEXT} characters")
    return text


def create_app(timeout: float = 2.0, max_entries: int = 1000) -> Service:
    """Make the application.

    Args:
        timeout: seconds.
        max_entries: number of answers.
    """
    return Service(timeout, max_entries)
