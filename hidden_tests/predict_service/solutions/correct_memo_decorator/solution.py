"""Document classifier: one decorator does cache, sharing and bound; the endpoint stays short."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import fastapi
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

import inference

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Found = TypeVar("Found")
LARGEST = 200_000


class Text(BaseModel):
    """The request's body."""

    text: str = Field(min_length=1, max_length=10_000)


class Category(BaseModel):
    """The response's body."""

    sha256: str
    label: str
    confidence: float
    cached: bool


def remembered(
    max_entries: int, timeout: float
) -> Callable[[Callable[[str], Awaitable[Found]]], Callable[[str], Awaitable[tuple[Found, bool]]]]:
    """Remember results of a coroutine function by its argument, least recently used ones go.

    Calls with an argument that is being worked on wait for the same task. One that is not done
    after `timeout` seconds raises TimeoutError and is forgotten, with whatever it gives later. The
    returned flag says whether the result had been there.
    """

    def decorate(
        function: Callable[[str], Awaitable[Found]],
    ) -> Callable[[str], Awaitable[tuple[Found, bool]]]:
        # A text's task: done ones are the cache, the others are in flight.
        tasks: OrderedDict[str, asyncio.Task[Found]] = OrderedDict()

        def trim() -> None:
            done = [text for text, task in tasks.items() if task.done()]
            for text in done[: max(len(done) - max_entries, 0)]:
                del tasks[text]

        def settle(text: str, task: asyncio.Task[Found]) -> None:
            failed = task.cancelled() or task.exception() is not None
            if tasks.get(text) is task:
                tasks.move_to_end(text)
                if failed:
                    del tasks[text]
            trim()

        @functools.wraps(function)
        async def wrapper(text: str) -> tuple[Found, bool]:
            task = tasks.get(text)
            if task is not None and task.done():
                tasks.move_to_end(text)
                return task.result(), True
            if task is None:
                task = tasks[text] = asyncio.ensure_future(function(text))
                task.add_done_callback(functools.partial(settle, text))
            await asyncio.wait({task}, timeout=timeout)
            if not task.done():
                if tasks.get(text) is task:
                    del tasks[text]
                raise TimeoutError
            return task.result(), False

        return wrapper

    return decorate


def answer_error(status: int, code: str, message: str, headers: Any = None) -> JSONResponse:
    """Make an error response."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def set_up_errors(app: FastAPI) -> None:
    """Map exceptions to responses."""
    fixed = {
        TimeoutError: (504, "timeout", "not done in time"),
        inference.InferenceError: (502, "inference_failed", "the model did not answer"),
        Exception: (500, "internal_error", "internal error"),
    }
    for kind, (status, code, message) in fixed.items():
        response = functools.partial(answer_error, status, code, message)

        async def tell(_: Request, __: Exception, response: Any = response) -> JSONResponse:
            return response()

        app.add_exception_handler(kind, tell)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        told = "; ".join(f"{item['loc']}: {item['msg']}" for item in error.errors())
        return answer_error(422, "invalid_request", f"text: {told}")

    @app.exception_handler(HTTPException)
    async def other(_: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}[error.status_code]
        return answer_error(error.status_code, code, str(error.detail), error.headers)


async def read_at_most(request: Request) -> None:
    """Dependency of routes with a body; it is read before they are."""
    if len(await request.body()) > LARGEST:
        raise fastapi.HTTPException(413, f"more than {LARGEST} bytes")


def create_app(timeout: float = 2.0, max_entries: int = 1000) -> FastAPI:
    """Make the application.

    Args:
        timeout: seconds.
        max_entries: answers.
    """
    app = FastAPI()
    set_up_errors(app)
    threads = ThreadPoolExecutor(20)

    @remembered(max_entries, timeout)
    async def classify(text: str) -> inference.Result:
        return await asyncio.get_running_loop().run_in_executor(
            threads, inference.run_inference, text
        )

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/predict", dependencies=[fastapi.Depends(read_at_most)])
    async def predict(query: Text) -> Category:
        result, cached = await classify(query.text)
        digest = hashlib.sha256(query.text.encode()).hexdigest()
        return Category(sha256=digest, cached=cached, **result)

    return app
