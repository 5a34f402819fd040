"""Document classification behind /predict."""

from __future__ import annotations

import asyncio
import hashlib

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from inference import InferenceError, Result, run_inference


class PredictRequest(BaseModel):
    """A document."""

    text: str = Field(min_length=1, max_length=10_000)


class PredictResponse(BaseModel):
    """Its category."""

    sha256: str
    label: str
    confidence: float
    cached: bool


def error_response(status: int, code: str, message: str) -> JSONResponse:
    """A structured error."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    """422 with the first problem."""
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    return error_response(422, "invalid_request", f"{place}: {problem['msg']}")


async def http_error(_request: Request, error: HTTPException) -> JSONResponse:
    """404 and 405."""
    code = "not_found" if error.status_code == 404 else "method_not_allowed"
    response = error_response(error.status_code, code, error.detail)
    response.headers.update(error.headers or {})
    return response


async def timed_out(_request: Request, _error: TimeoutError) -> JSONResponse:
    """504."""
    return error_response(504, "timeout", "the model did not answer in time")


async def inference_failed(_request: Request, error: InferenceError) -> JSONResponse:
    """502."""
    return error_response(502, "inference_failed", f"the model failed: {error}")


def create_app(timeout: float = 2.0, max_entries: int = 1000) -> FastAPI:
    """Make the application. The cache is a dict of this process, used on the event loop only.

    Args:
        timeout: seconds to wait for the model.
        max_entries: answers that are kept.
    """
    app = FastAPI()
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(TimeoutError, timed_out)
    app.add_exception_handler(InferenceError, inference_failed)
    cache: dict[str, Result] = {}

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/predict")
    async def predict(request: PredictRequest) -> PredictResponse:
        key = hashlib.sha256(request.text.encode()).hexdigest()
        if key in cache:
            return PredictResponse(sha256=key, cached=True, **cache[key])
        work = asyncio.to_thread(run_inference, request.text)
        result = await asyncio.wait_for(work, timeout)
        if len(cache) >= max_entries:
            cache.clear()
        cache[key] = result
        return PredictResponse(sha256=key, cached=False, **result)

    return app
