"""The classifier as a FastAPI application whose parts are dependencies."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as BaseHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference import InferenceError, Result, run_inference

logger = logging.getLogger(__name__)


class Settings(BaseModel):
    """What the factory was given."""

    timeout: float
    max_entries: int
    max_body: int = 200_000


class TextIn(BaseModel):
    """The request."""

    text: str = Field(..., min_length=1, max_length=10_000)


class PredictionOut(BaseModel):
    """The response."""

    sha256: str
    label: str
    confidence: float
    cached: bool


class ErrorDetail(BaseModel):
    """Code and message of an error."""

    code: str
    message: str


class ErrorOut(BaseModel):
    """The form of all errors."""

    error: ErrorDetail


@dataclass
class Cache:
    """Least recently used answers; not thread-safe, used on the event loop only."""

    size: int
    entries: OrderedDict[str, Result] = field(default_factory=OrderedDict)

    def get(self, key: str) -> Result | None:
        """What is kept under a key."""
        if key not in self.entries:
            return None
        self.entries.move_to_end(key)
        return self.entries[key]

    def put(self, key: str, result: Result) -> None:
        """Keep a result."""
        self.entries[key] = result
        self.entries.move_to_end(key)
        while len(self.entries) > self.size:
            self.entries.popitem(last=False)


@dataclass
class Flights:
    """Inferences under way, by the hash of their text."""

    futures: dict[str, asyncio.Future[Result]] = field(default_factory=dict)

    def join(self, key: str, text: str) -> asyncio.Future[Result]:
        """The inference for a text, which is started where there is none."""
        if key not in self.futures:
            self.futures[key] = asyncio.ensure_future(asyncio.to_thread(run_inference, text))
            self.futures[key].add_done_callback(self.note)
        return self.futures[key]

    def leave(self, key: str, future: asyncio.Future[Result]) -> bool:
        """Forget an inference; whether it was still the one for its text."""
        if self.futures.get(key) is not future:
            return False
        del self.futures[key]
        return True

    @staticmethod
    def note(future: asyncio.Future[Result]) -> None:
        """Say that an inference failed, and nothing about its document."""
        if not future.cancelled() and future.exception() is not None:
            logger.warning("an inference failed")


def get_settings(request: Request) -> Settings:
    """Settings of this application."""
    return request.app.state.settings


def get_cache(request: Request) -> Cache:
    """Cache of this application."""
    return request.app.state.cache


def get_flights(request: Request) -> Flights:
    """Inferences of this application."""
    return request.app.state.flights


class Classifier:
    """Made for each request, of what the application has."""

    def __init__(
        self,
        settings: Annotated[Settings, Depends(get_settings)],
        cache: Annotated[Cache, Depends(get_cache)],
        flights: Annotated[Flights, Depends(get_flights)],
    ) -> None:
        self.settings = settings
        self.cache = cache
        self.flights = flights

    async def __call__(self, text: str) -> PredictionOut:
        """Classify a text, from the cache if it is there."""
        key = hashlib.sha256(text.encode("utf-8")).hexdigest()
        if (known := self.cache.get(key)) is not None:
            return PredictionOut(sha256=key, cached=True, **known)
        future = self.flights.join(key, text)
        try:
            result = await asyncio.wait_for(asyncio.shield(future), self.settings.timeout)
        except asyncio.TimeoutError as error:
            self.flights.leave(key, future)
            raise HTTPException(
                status.HTTP_504_GATEWAY_TIMEOUT, {"code": "timeout", "message": "too slow"}
            ) from error
        except InferenceError as error:
            self.flights.leave(key, future)
            raise HTTPException(
                status.HTTP_502_BAD_GATEWAY,
                {"code": "inference_failed", "message": "the model failed"},
            ) from error
        except Exception:
            self.flights.leave(key, future)
            raise
        if self.flights.leave(key, future):
            self.cache.put(key, result)
        return PredictionOut(sha256=key, cached=False, **result)


def respond(status_code: int, detail: ErrorDetail, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error as a response."""
    return JSONResponse(ErrorOut(error=detail).model_dump(), status_code, headers)


async def handle_http(_: Request, error: BaseHTTPException) -> JSONResponse:
    """HTTPException of ours has a code; of the framework it has a status."""
    if isinstance(error.detail, dict):
        return respond(error.status_code, ErrorDetail(**error.detail))
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    return respond(error.status_code, ErrorDetail(code=code, message=error.detail), error.headers)


async def handle_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    """What is wrong, by place and kind."""
    told = [f"{item['loc'][-1]}: {item['type']}" for item in error.errors()]
    return respond(422, ErrorDetail(code="invalid_request", message=f"text: {'; '.join(told)}"[:500]))


async def handle_unexpected(_: Request, __: Exception) -> JSONResponse:
    """The rest."""
    return respond(500, ErrorDetail(code="internal_error", message="internal error"))


class LimitBody:
    """Refuses bodies that are too large before anything reads them as JSON."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        received: list[Message] = []
        size = 0
        while not received or received[-1].get("more_body"):
            received.append(await receive())
            size += len(received[-1].get("body", b""))
            if size > self.limit:
                detail = ErrorDetail(code="too_large", message=f"at most {self.limit} bytes")
                await respond(413, detail)(scope, receive, send)
                return

        async def again() -> Message:
            return received.pop(0) if received else await receive()

        await self.app(scope, again, send)


def create_app(timeout: float = 2.0, max_entries: int = 1000) -> FastAPI:
    """Make the application.

    Args:
        timeout: seconds that a request may take.
        max_entries: answers that the cache holds.
    """
    app = FastAPI(title="Classifier")
    app.state.settings = Settings(timeout=timeout, max_entries=max_entries)
    app.state.cache = Cache(max_entries)
    app.state.flights = Flights()
    app.add_middleware(LimitBody, limit=app.state.settings.max_body)
    app.add_exception_handler(BaseHTTPException, handle_http)
    app.add_exception_handler(RequestValidationError, handle_invalid)
    app.add_exception_handler(Exception, handle_unexpected)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/predict", responses={504: {"model": ErrorOut}, 502: {"model": ErrorOut}})
    async def predict(
        query: TextIn, classify: Annotated[Classifier, Depends(Classifier)]
    ) -> PredictionOut:
        return await classify(query.text)

    return app
