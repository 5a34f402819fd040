"""What callers get."""

from __future__ import annotations

from typing import TypedDict


class Prediction(TypedDict):
    """The answer for one ticket, ready for JSON."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str
