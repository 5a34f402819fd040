"""Classifier with a cache whose entries also age, and requests that look for results in turns."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

import inference

if TYPE_CHECKING:
    from starlette.responses import Response

DAY = 86_400.0
LOOK_SECONDS = 0.01
MAX_BODY = 200_000


class Query(BaseModel):
    """A document."""

    text: str = Field(min_length=1, max_length=10_000)


class Reply(BaseModel):
    """Its category."""

    sha256: str
    label: str
    confidence: float
    cached: bool


@dataclass
class Entry:
    """An answer with the time it was made."""

    result: dict[str, Any]
    made: float


class AgingCache:
    """Answers by key. dict keeps insertion order, so what is used moves to the end."""

    def __init__(self, max_entries: int, max_age: float = DAY) -> None:
        self.max_entries = max_entries
        self.max_age = max_age
        self.entries: dict[str, Entry] = {}

    def get(self, key: str) -> dict[str, Any] | None:
        """An answer that is not too old."""
        entry = self.entries.pop(key, None)
        if entry is None or time.monotonic() - entry.made > self.max_age:
            return None
        self.entries[key] = entry
        return entry.result

    def set(self, key: str, result: dict[str, Any]) -> None:
        """Keep an answer."""
        self.entries.pop(key, None)
        self.entries[key] = Entry(result, time.monotonic())
        while len(self.entries) > self.max_entries:
            del self.entries[next(iter(self.entries))]


class Classifier:
    """All of it runs on the event loop; the model runs in threads."""

    def __init__(self, timeout: float, max_entries: int) -> None:
        self.timeout = timeout
        self.cache = AgingCache(max_entries)
        self.leaders: dict[str, object] = {}

    async def classify(self, text: str) -> Reply:
        """The category of a text."""
        key = hashlib.sha256(text.encode()).hexdigest()
        known = self.cache.get(key)
        if known is not None:
            return Reply(sha256=key, cached=True, **known)
        result = await asyncio.wait_for(self.found(key, text), self.timeout)
        return Reply(sha256=key, cached=False, **result)

    async def found(self, key: str, text: str) -> dict[str, Any]:
        """Lead the inference for a text, or wait until whoever leads it is done."""
        while key in self.leaders:
            await asyncio.sleep(LOOK_SECONDS)
        known = self.cache.get(key)
        if known is not None:
            return known
        mark = self.leaders[key] = object()
        try:
            result = await asyncio.to_thread(inference.run_inference, text)
            self.cache.set(key, result)
        finally:
            if self.leaders.get(key) is mark:
                del self.leaders[key]
        return result


def as_error(status: int, code: str, message: str, headers: Any = None) -> JSONResponse:
    """The form of errors."""
    body = jsonable_encoder({"error": {"code": code, "message": message}})
    return JSONResponse(body, status_code=status, headers=headers)


async def bad_request(_: Request, error: RequestValidationError) -> Response:
    """422."""
    kinds = ", ".join(sorted({item["type"] for item in error.errors()}))
    return as_error(422, "invalid_request", f"text must have 1 to 10,000 characters: {kinds}")


async def bad_route(_: Request, error: HTTPException) -> Response:
    """404 and 405."""
    code = "not_found" if error.status_code == 404 else "method_not_allowed"
    return as_error(error.status_code, code, error.detail, error.headers)


async def too_slow(_: Request, __: TimeoutError) -> Response:
    """504."""
    return as_error(504, "timeout", "too slow")


async def no_answer(_: Request, __: inference.InferenceError) -> Response:
    """502."""
    return as_error(502, "inference_failed", "no answer of the model")


async def crashed(_: Request, __: Exception) -> Response:
    """500."""
    return as_error(500, "internal_error", "crashed")


HANDLERS: dict[Any, Any] = {
    RequestValidationError: bad_request,
    HTTPException: bad_route,
    TimeoutError: too_slow,
    inference.InferenceError: no_answer,
    Exception: crashed,
}


def create_app(timeout: float = 2.0, max_entries: int = 1000) -> FastAPI:
    """Make the application: `timeout` in seconds, `max_entries` answers in the cache."""
    classifier = Classifier(timeout, max_entries)
    app = FastAPI(exception_handlers=HANDLERS)

    @app.middleware("http")
    async def measured(request: Request, call_next: Any) -> Response:
        size = 0
        if int(request.headers.get("content-length", 0)) <= MAX_BODY:
            size = len(await request.body())
        else:
            size = MAX_BODY + 1
        if size > MAX_BODY:
            return as_error(413, "too_large", "the body is too large")
        return await call_next(request)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/predict")
    async def predict(query: Query) -> Reply:
        return await classifier.classify(query.text)

    return app
