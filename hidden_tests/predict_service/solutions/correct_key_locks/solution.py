"""Classify documents: a lock for each text in flight, an LRU cache, one form of errors."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import OrderedDict
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as HttpError

import inference

LIMIT = 200_000
NAMES = {404: "not_found", 405: "method_not_allowed"}


class Document(BaseModel):
    """What is to be classified."""

    model_config = ConfigDict(strict=True)
    text: str = Field(min_length=1, max_length=10_000)


class Category(BaseModel):
    """What the document is."""

    sha256: str
    label: str
    confidence: float
    cached: bool


class Slot:
    """A lock, with the number of requests that hold it or wait for it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class Desk:
    """All state of one application; it is used on the event loop only."""

    def __init__(self, timeout: float, max_entries: int) -> None:
        self.timeout = timeout
        self.max_entries = max_entries
        self.kept: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.slots: dict[str, Slot] = {}

    @contextlib.asynccontextmanager
    async def alone(self, key: str):
        """Hold the text's lock. It goes when nobody needs it any more."""
        slot = self.slots.setdefault(key, Slot())
        slot.users += 1
        try:
            async with slot.lock:
                yield
        finally:
            slot.users -= 1
            if not slot.users:
                self.slots.pop(key, None)

    def look_up(self, key: str) -> dict[str, Any] | None:
        """The answer that is kept, which is then the last one to go."""
        if key in self.kept:
            self.kept.move_to_end(key)
        return self.kept.get(key)

    def keep(self, key: str, result: dict[str, Any]) -> None:
        """Keep an answer; the one that was used longest ago makes room."""
        self.kept[key] = result
        if len(self.kept) > self.max_entries:
            self.kept.popitem(last=False)

    async def classify(self, text: str) -> Category:
        """Answer for one document, in time or not at all."""
        key = hashlib.sha256(text.encode()).hexdigest()
        found = self.look_up(key)
        if found is not None:
            return Category(sha256=key, cached=True, **found)
        async with asyncio.timeout(self.timeout), self.alone(key):
            found = self.look_up(key)
            if found is None:
                found = await asyncio.to_thread(inference.run_inference, text)
                self.keep(key, found)
        return Category(sha256=key, cached=False, **found)


def failed(status: int, code: str, message: str, headers: Any = None) -> JSONResponse:
    """An error response."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def install_errors(app: FastAPI) -> None:
    """Answer every kind of error in the same form."""

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        where = [" ".join(str(item) for item in found["loc"]) for found in error.errors()]
        return failed(422, "invalid_request", f"not as agreed: {', '.join(where)} (text: 1 to 10,000 characters)")

    @app.exception_handler(HttpError)
    async def routed(_: Request, error: HttpError) -> Response:
        return failed(error.status_code, NAMES.get(error.status_code, "error"), error.detail, error.headers)

    @app.exception_handler(TimeoutError)
    async def late(_: Request, __: TimeoutError) -> Response:
        return failed(504, "timeout", "no answer in time")

    @app.exception_handler(inference.InferenceError)
    async def broken(_: Request, __: inference.InferenceError) -> Response:
        return failed(502, "inference_failed", "the model failed")

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> Response:
        return failed(500, "internal_error", "unexpected error")


def create_app(timeout: float = 2.0, max_entries: int = 1000) -> FastAPI:
    """Make the application; `timeout` in seconds, `max_entries` answers are kept."""
    desk = Desk(timeout, max_entries)
    app = FastAPI()
    install_errors(app)

    @app.middleware("http")
    async def bounded(request: Request, call_next: Any) -> Response:
        if len(await request.body()) > LIMIT:
            return failed(413, "too_large", f"more than {LIMIT} bytes")
        return await call_next(request)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/predict")
    async def predict(document: Document) -> Category:
        return await desk.classify(document.text)

    return app
