"""Predict endpoint."""

import asyncio
import hashlib

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from inference import InferenceError, run_inference

CACHE = {}


class PredictRequest(BaseModel):
    text: str = Field(min_length=1, max_length=10000)


def get_key(text):
    return hashlib.sha256(text.encode()).hexdigest()


def create_app(timeout=2.0, max_entries=1000):
    app = FastAPI()

    async def infer(text):
        return run_inference(text)

    @app.get("/healthz")
    async def healthz():
        return {"status": "ok"}

    @app.post("/predict")
    async def predict(request: PredictRequest):
        key = get_key(request.text)
        if key in CACHE:
            return {"sha256": key, **CACHE[key], "cached": True}
        try:
            task = asyncio.create_task(infer(request.text))
            result = await asyncio.wait_for(task, timeout)
        except asyncio.TimeoutError:
            raise HTTPException(status_code=504, detail="timeout")
        except InferenceError as e:
            raise HTTPException(status_code=502, detail=str(e))
        CACHE[key] = result
        return {"sha256": key, **result, "cached": False}

    return app
