"""Requests put their documents into a queue; worker threads classify them in the background."""

from __future__ import annotations

import asyncio
import hashlib
import queue
import threading
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from inference import InferenceError, run_inference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.responses import Response

    from inference import Result

WORKERS = 16
MAX_BODY = 200_000


class Document(BaseModel):
    """Body of a request."""

    text: str = Field(min_length=1, max_length=10_000)


class Prediction(BaseModel):
    """Body of a response."""

    sha256: str
    label: str
    confidence: float
    cached: bool


class Health(BaseModel):
    """Body of /healthz."""

    status: str = "ok"


@dataclass
class Job:
    """One inference, and the requests that wait for it."""

    key: str
    text: str
    result: Result | None = None
    failed: Exception | None = None
    listeners: list[Callable[[], object]] = field(default_factory=list)
    done: bool = False


class Background:
    """A queue, its workers and the cache. One lock guards cache, jobs and listeners."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._lock = threading.Lock()
        self._cache: OrderedDict[str, Result] = OrderedDict()
        self._jobs: dict[str, Job] = {}
        self._queue: queue.Queue[Job | None] = queue.Queue()
        for number in range(WORKERS):
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True).start()

    def known(self, key: str) -> Result | None:
        """The answer that the cache holds."""
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
            return self._cache.get(key)

    def submit(self, key: str, text: str, listener: Callable[[], object]) -> Job:
        """The job for a text, new or under way; the listener is called when it is done."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                job = self._jobs[key] = Job(key, text)
                self._queue.put(job)
            job.listeners.append(listener)
            return job

    def give_up(self, job: Job) -> None:
        """Nobody wants this result any more."""
        with self._lock:
            if self._jobs.get(job.key) is job:
                del self._jobs[job.key]

    def stop(self) -> None:
        """End the workers as they become free."""
        for _ in range(WORKERS):
            self._queue.put(None)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            try:
                job.result = run_inference(job.text)
            except Exception as error:
                job.failed = error
            self._finish(job)

    def _finish(self, job: Job) -> None:
        with self._lock:
            if self._jobs.get(job.key) is job:
                del self._jobs[job.key]
                if job.result is not None:
                    self._cache[job.key] = job.result
                    if len(self._cache) > self._max_entries:
                        self._cache.popitem(last=False)
            job.done = True
            listeners = list(job.listeners)
        for listener in listeners:
            listener()


async def classify(background: Background, timeout: float, text: str) -> Prediction:
    """Answer from the cache or in the background, within `timeout` seconds."""
    key = hashlib.sha256(text.encode()).hexdigest()
    result = background.known(key)
    if result is not None:
        return Prediction(sha256=key, cached=True, **result)
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    job = background.submit(key, text, lambda: loop.call_soon_threadsafe(ready.set))
    try:
        await asyncio.wait_for(ready.wait(), timeout)
    except TimeoutError:
        background.give_up(job)
        raise
    if job.failed is not None or job.result is None:
        raise job.failed or RuntimeError("no result")
    return Prediction(sha256=key, cached=False, **job.result)


def problem(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """A response that tells an error."""
    content = {"error": {"code": code, "message": message}}
    return JSONResponse(content, status_code=status, headers=headers)


def add_error_handlers(app: FastAPI) -> None:
    """Register one handler for each kind of error."""

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> Response:
        fields = {str(item["loc"][-1]): item["msg"] for item in error.errors()}
        told = ", ".join(f"{name}: {message}" for name, message in fields.items())
        return problem(422, "invalid_request", f"{told} (the body holds a text)")

    @app.exception_handler(HTTPException)
    def http(_: Request, error: HTTPException) -> Response:
        codes = {404: "not_found", 405: "method_not_allowed"}
        headers = dict(error.headers or {})
        return problem(error.status_code, codes.get(error.status_code, "http"), error.detail, headers)

    @app.exception_handler(TimeoutError)
    def slow(_: Request, __: TimeoutError) -> Response:
        return problem(504, "timeout", "it takes too long")

    @app.exception_handler(InferenceError)
    def failed(_: Request, __: InferenceError) -> Response:
        return problem(502, "inference_failed", "the model has no answer")

    @app.exception_handler(Exception)
    def other(_: Request, __: Exception) -> Response:
        return problem(500, "internal_error", "something went wrong")


async def refuse_large(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Middleware against large bodies."""
    if len(await request.body()) > MAX_BODY:
        return problem(413, "too_large", f"more than {MAX_BODY} bytes")
    return await call_next(request)


def create_app(timeout: float = 2.0, max_entries: int = 1000) -> FastAPI:
    """Make the application.

    Args:
        timeout: seconds to wait for the background.
        max_entries: answers to keep.
    """
    background = Background(max_entries)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        background.stop()

    app = FastAPI(lifespan=lifespan)
    app.middleware("http")(refuse_large)
    add_error_handlers(app)

    @app.get("/healthz")
    async def healthz() -> Health:
        return Health()

    @app.post("/predict")
    async def predict(document: Document) -> Prediction:
        return await classify(background, timeout, document.text)

    return app
