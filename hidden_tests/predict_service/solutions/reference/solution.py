"""Serve the document classifier: hash, cache, inference under a guard, structured errors."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from inference import InferenceError, Result, run_inference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from starlette.responses import Response

MAX_TEXT = 10_000
MAX_BODY = 200_000
MAX_INFERENCES = 32
CODES = {404: "not_found", 405: "method_not_allowed"}


class Query(BaseModel):
    """A document to classify."""

    text: str = Field(min_length=1, max_length=MAX_TEXT)


class Prediction(BaseModel):
    """The category of a document."""

    sha256: str
    label: str
    confidence: float
    cached: bool


class Health(BaseModel):
    """What /healthz answers."""

    status: str


class Classifier:
    """Answers from a cache, or by one inference at a time for each text.

    Its state is touched on the event loop only, between two awaits, so it needs no lock; the threads
    of the executor run the model and nothing else. It is held in memory and of one process: several
    workers of a server have a cache each.

    Args:
        timeout: seconds that a request waits for its answer.
        max_entries: answers that are kept; the one that was used longest ago goes first.
    """

    def __init__(self, timeout: float, max_entries: int) -> None:
        self._timeout = timeout
        self._max_entries = max_entries
        self._answers: OrderedDict[str, Result] = OrderedDict()
        self._running: dict[str, asyncio.Future[Result]] = {}
        self._executor = ThreadPoolExecutor(MAX_INFERENCES, thread_name_prefix="inference")

    async def predict(self, text: str) -> Prediction:
        """Classify one document.

        Raises:
            TimeoutError: there is no answer in time.
            InferenceError: the model failed.
        """
        key = hashlib.sha256(text.encode()).hexdigest()
        if key in self._answers:
            self._answers.move_to_end(key)
            return Prediction(sha256=key, cached=True, **self._answers[key])
        running = self._running.get(key) or self._start(key, text)
        try:
            # Others may wait for it as well, so a request that gives up does not cancel it.
            result = await asyncio.wait_for(asyncio.shield(running), self._timeout)
        except TimeoutError:
            if self._running.get(key) is running:
                del self._running[key]
            raise
        return Prediction(sha256=key, cached=False, **result)

    def close(self) -> None:
        """Let no inference begin any more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self, key: str, text: str) -> asyncio.Future[Result]:
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._executor, run_inference, text)
        self._running[key] = running
        running.add_done_callback(lambda done: self._finish(key, done))
        return running

    def _finish(self, key: str, done: asyncio.Future[Result]) -> None:
        failed = done.cancelled() or done.exception() is not None
        if self._running.get(key) is not done:
            return  # a request has given it up: its result is late
        del self._running[key]
        if not failed:
            self._answers[key] = done.result()
            if len(self._answers) > self._max_entries:
                self._answers.popitem(last=False)


def error_response(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An error in the form that all of them have."""
    content = {"error": {"code": code, "message": message}}
    return JSONResponse(content, status_code=status, headers=headers)


async def refuse_request(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Say which field is wrong and why, without repeating what was sent."""
    problems = [
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
    ]
    return error_response(422, "invalid_request", "; ".join(problems))


async def refuse_route(_request: Request, error: HTTPException) -> JSONResponse:
    """Paths and methods that there are not."""
    code = CODES.get(error.status_code, "http_error")
    return error_response(error.status_code, code, error.detail, error.headers)


async def tell_timeout(_request: Request, _error: TimeoutError) -> JSONResponse:
    """The answer was not there in time."""
    return error_response(504, "timeout", "the document was not classified in time")


async def tell_failure(_request: Request, _error: InferenceError) -> JSONResponse:
    """The model failed. Its message may quote the document, so it stays here."""
    return error_response(502, "inference_failed", "the model gave no answer; try again")


async def tell_unexpected(_request: Request, _error: Exception) -> JSONResponse:
    """Anything else."""
    return error_response(500, "internal_error", "the service failed")


async def limit_body(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Refuse large bodies, by what they say they are and by what they are."""
    declared = request.headers.get("content-length", "")
    too_large = declared.isdecimal() and int(declared) > MAX_BODY
    if too_large or len(await request.body()) > MAX_BODY:
        return error_response(413, "too_large", f"a body has at most {MAX_BODY} bytes")
    return await call_next(request)


def create_app(timeout: float = 2.0, max_entries: int = 1000) -> FastAPI:
    """Make the application.

    Args:
        timeout: seconds until a request without an answer gets its 504.
        max_entries: number of answers that the cache holds.
    """
    classifier = Classifier(timeout, max_entries)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        classifier.close()

    app = FastAPI(title="Document classifier", lifespan=lifespan)
    app.middleware("http")(limit_body)
    app.add_exception_handler(RequestValidationError, refuse_request)
    app.add_exception_handler(HTTPException, refuse_route)
    app.add_exception_handler(TimeoutError, tell_timeout)
    app.add_exception_handler(InferenceError, tell_failure)
    app.add_exception_handler(Exception, tell_unexpected)

    @app.get("/healthz")
    async def healthz() -> Health:
        return Health(status="ok")

    @app.post("/predict")
    async def predict(query: Query) -> Prediction:
        return await classifier.predict(query.text)

    return app
