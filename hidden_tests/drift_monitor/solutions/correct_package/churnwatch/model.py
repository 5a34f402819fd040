"""The model that the service runs."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import pandas as pd


class Number(TypedDict):
    """What the model does with a number."""

    mean: float
    scale: float
    weight: float


class Model(TypedDict):
    """The content of model.json, as far as `predict` needs it."""

    intercept: float
    numbers: dict[str, Number]
    texts: dict[str, dict[str, float]]


def predict(model: Model, log: pd.DataFrame) -> pd.Series:
    """Return the model's risk for each row."""
    total = pd.Series(float(model["intercept"]), index=log.index)
    for name, part in model["numbers"].items():
        total += (part["weight"] * (log[name] - part["mean"]) / part["scale"]).fillna(0.0)
    for name, weights in model["texts"].items():
        total += log[name].map(weights).astype(float).fillna(0.0)
    return 1.0 / (1.0 + np.exp(-total))


def matters(model: Model, name: str) -> bool:
    """Return whether a feature moves the risk."""
    if name in model["numbers"]:
        return model["numbers"][name]["weight"] != 0
    return any(weight != 0 for weight in model["texts"].get(name, {}).values())
