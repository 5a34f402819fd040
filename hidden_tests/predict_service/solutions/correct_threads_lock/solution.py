"""Document classification over HTTP, with plain threads."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitTimeoutError
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, StringConstraints
from starlette.exceptions import HTTPException as StarletteHTTPException

import inference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MAX_BODY = 200_000


class PredictRequest(BaseModel):
    """Body of /predict."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class PredictResponse(BaseModel):
    """Answer of /predict."""

    sha256: str
    label: str
    confidence: float
    cached: bool


class HealthResponse(BaseModel):
    """Answer of /healthz."""

    status: str = "ok"


class BodyTooLargeError(Exception):
    """A body is larger than the service reads."""


class Predictor:
    """Thread-safe: every access to the cache and to the running inferences holds one lock.

    The lock is never held while the model works, so texts do not wait for each other. The cache is
    in memory, of this process only.
    """

    def __init__(self, timeout: float, max_entries: int) -> None:
        self.timeout = timeout
        self.max_entries = max_entries
        self.lock = threading.Lock()
        self.cache: OrderedDict[str, inference.Result] = OrderedDict()
        self.in_flight: dict[str, Future[inference.Result]] = {}
        self.pool = ThreadPoolExecutor(max_workers=40)

    def predict(self, text: str) -> PredictResponse:
        """Look the text up, or wait for its inference."""
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
        with self.lock:
            known = self.cache.get(digest)
            if known is not None:
                self.cache.move_to_end(digest)
                return PredictResponse(sha256=digest, cached=True, **known)
            future = self.in_flight.get(digest)
            if future is None:
                future = self.in_flight[digest] = self.pool.submit(self.infer, digest, text)
        try:
            result = future.result(timeout=self.timeout)
        except WaitTimeoutError as error:
            self.forget(digest, future)
            raise HTTPException(504, "classification took too long") from error
        except inference.InferenceError as error:
            raise HTTPException(502, "the model could not classify the document") from error
        return PredictResponse(sha256=digest, cached=False, **result)

    def infer(self, digest: str, text: str) -> inference.Result:
        """Run the model in a thread of the pool, and keep what it says unless it is late."""
        mine = None
        try:
            with self.lock:
                mine = self.in_flight.get(digest)
            result = inference.run_inference(text)
            with self.lock:
                if mine is not None and self.in_flight.get(digest) is mine:
                    self.cache[digest] = result
                    while len(self.cache) > self.max_entries:
                        self.cache.popitem(last=False)
        finally:
            self.forget(digest, mine)
        return result

    def forget(self, digest: str, future: Future[inference.Result] | None) -> None:
        """Let the next request for this text start an inference of its own."""
        with self.lock:
            if future is not None and self.in_flight.get(digest) is future:
                del self.in_flight[digest]


CODES = {
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    502: "inference_failed",
    504: "timeout",
}


def error_body(code: str, message: str) -> dict[str, dict[str, str]]:
    """The one form of errors."""
    return {"error": {"code": code, "message": message}}


def on_http_error(_: Request, error: StarletteHTTPException) -> JSONResponse:
    """Errors with a status of their own."""
    code = CODES.get(error.status_code, "error")
    return JSONResponse(error_body(code, str(error.detail)), error.status_code, error.headers)


def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    """Requests that are not as agreed; what they held is not repeated."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return JSONResponse(error_body("invalid_request", f"{place}: {first['msg']}"), 422)


def on_crash(_: Request, __: Exception) -> JSONResponse:
    """Everything else."""
    return JSONResponse(error_body("internal_error", "internal error"), 500)


class BodyLimit:
    """Middleware that reads at most MAX_BODY bytes of a body."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        """Count what comes, and answer 413 as soon as it is too much."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        messages, size, more = [], 0, True
        while more:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
            if size > MAX_BODY:
                body = error_body("too_large", "the body is too large")
                await JSONResponse(body, 413)(scope, receive, send)
                return

        async def replay():
            return messages.pop(0) if messages else await receive()

        await self.app(scope, replay, send)


def create_app(timeout: float = 2.0, max_entries: int = 1000) -> FastAPI:
    """Make the service.

    Args:
        timeout: seconds until a request is given up.
        max_entries: answers that are kept.
    """
    predictor = Predictor(timeout, max_entries)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        predictor.pool.shutdown(wait=False, cancel_futures=True)

    app = FastAPI(lifespan=lifespan)
    app.add_middleware(BodyLimit)
    app.add_exception_handler(StarletteHTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Exception, on_crash)

    @app.get("/healthz")
    def healthz() -> HealthResponse:
        return HealthResponse()

    @app.post("/predict")
    def predict(body: PredictRequest) -> PredictResponse:
        return predictor.predict(body.text)

    return app
