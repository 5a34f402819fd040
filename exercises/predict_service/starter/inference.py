"""The model. It is slow, it sometimes fails, and it blocks the thread that calls it."""

from __future__ import annotations

import random
import time
from typing import TypedDict

LABELS = ("contract", "invoice", "letter", "report")


class InferenceError(Exception):
    """The model gave no answer. The message may quote the document."""


class Result(TypedDict):
    """What the model says about a document: its category, and how sure it is, from 0 to 1."""

    label: str
    confidence: float


def run_inference(text: str) -> Result:
    """Classify one document. Takes a second or more; a second call may run beside it.

    Raises:
        InferenceError: the model gave no answer this time.
    """
    time.sleep(random.uniform(1.0, 3.0))
    if random.random() < 0.1:
        raise InferenceError(f"no answer for {text[:20]!r}")
    draw = random.Random(text)
    return {"label": draw.choice(LABELS), "confidence": round(draw.uniform(0.5, 1.0), 4)}
