"""Serve the classifier with Starlette; the contract is a constant."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from inference import InferenceError, run_inference

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_BODY = 200_000
MAX_TEXT = 10_000
CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "Document classifier", "version": "1"},
    "paths": {
        "/predict": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["text"],
                                "properties": {
                                    "text": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
                                },
                            }
                        }
                    },
                },
                "responses": {
                    "200": {
                        "description": "the category",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["sha256", "label", "confidence", "cached"],
                                    "properties": {
                                        "sha256": {"type": "string"},
                                        "label": {"type": "string"},
                                        "confidence": {"type": "number"},
                                        "cached": {"type": "boolean"},
                                    },
                                }
                            }
                        },
                    }
                },
            }
        }
    },
}


@dataclass
class Problem(Exception):
    """An error with its status and code."""

    status: int
    code: str
    message: str


@dataclass(frozen=True)
class Answer:
    """What /predict answers."""

    sha256: str
    label: str
    confidence: float
    cached: bool


async def read_text(request: Request) -> str:
    """The text of a request; Problem where it is not as agreed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Problem(413, "too_large", f"a body has at most {MAX_BODY} bytes")
    try:
        content = json.loads(body)
    except ValueError as error:
        raise Problem(422, "invalid_request", "the body with the text is no JSON") from error
    text = content.get("text") if isinstance(content, dict) else None
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_TEXT:
        raise Problem(422, "invalid_request", f"text must be a string of 1 to {MAX_TEXT} characters")
    return text


class Service:
    """The state of one application. Only the event loop touches it."""

    def __init__(self, timeout: float, max_entries: int) -> None:
        self.timeout = timeout
        self.max_entries = max_entries
        self.answers: OrderedDict[str, Answer] = OrderedDict()
        self.waiting: dict[str, asyncio.Task[Answer]] = {}
        self.threads = ThreadPoolExecutor(24)

    async def infer(self, key: str, text: str) -> Answer:
        """Run the model in a thread; keep its answer while it is still wanted."""
        try:
            result = await asyncio.get_running_loop().run_in_executor(
                self.threads, run_inference, text
            )
            answer = Answer(key, result["label"], result["confidence"], cached=True)
            if self.waiting.get(key) is asyncio.current_task():
                self.answers[key] = answer
                while len(self.answers) > self.max_entries:
                    self.answers.popitem(last=False)
        finally:
            if self.waiting.get(key) is asyncio.current_task():
                del self.waiting[key]
        return answer

    async def predict(self, request: Request) -> JSONResponse:
        """POST /predict."""
        text = await read_text(request)
        key = hashlib.sha256(text.encode()).hexdigest()
        if key in self.answers:
            self.answers.move_to_end(key)
            return JSONResponse(asdict(self.answers[key]))
        task = self.waiting.get(key)
        if task is None:
            task = self.waiting[key] = asyncio.create_task(self.infer(key, text))
        done, _ = await asyncio.wait({task}, timeout=self.timeout)
        if not done:
            if self.waiting.get(key) is task:
                del self.waiting[key]
            task.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise Problem(504, "timeout", "the document was not classified in time")
        try:
            answer = task.result()
        except InferenceError as error:
            raise Problem(502, "inference_failed", "the model gave no answer") from error
        return JSONResponse({**asdict(answer), "cached": False})


async def healthz(_request: Request) -> JSONResponse:
    """GET /healthz."""
    return JSONResponse({"status": "ok"})


async def contract(_request: Request) -> JSONResponse:
    """GET /openapi.json."""
    return JSONResponse(CONTRACT)


def told(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A structured error."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


async def on_problem(_request: Request, error: Problem) -> JSONResponse:
    """Problems that the handlers found."""
    return told(error.status, error.code, error.message)


async def on_route(_request: Request, error: HTTPException) -> JSONResponse:
    """No such path, or no such method."""
    code = "not_found" if error.status_code == 404 else "method_not_allowed"
    return told(error.status_code, code, error.detail, dict(error.headers or {}))


async def on_error(_request: Request, _error: Exception) -> JSONResponse:
    """What nobody expected."""
    return told(500, "internal_error", "the service failed")


def create_app(timeout: float = 2.0, max_entries: int = 1000) -> Starlette:
    """Make the application.

    Args:
        timeout: seconds until a request gets its 504.
        max_entries: answers in the cache.
    """
    service = Service(timeout, max_entries)
    return Starlette(
        routes=[
            Route("/predict", service.predict, methods=["POST"]),
            Route("/healthz", healthz, methods=["GET"]),
            Route("/openapi.json", contract, methods=["GET"]),
        ],
        exception_handlers={Problem: on_problem, HTTPException: on_route, Exception: on_error},
    )
