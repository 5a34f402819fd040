"""The task is in README.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    """Return the model's risk for each row, as the service should have answered it.

    A missing number and a missing or unknown text add nothing.
    """
    total = pd.Series(float(model["intercept"]), index=log.index)
    for name, part in model["numbers"].items():
        total += (part["weight"] * (log[name] - part["mean"]) / part["scale"]).fillna(0.0)
    for name, weights in model["texts"].items():
        total += log[name].map(weights).astype(float).fillna(0.0)
    return 1.0 / (1.0 + np.exp(-total))


def evaluate(log: pd.DataFrame, slices: Sequence[str], threshold: float) -> pd.DataFrame:
    """Return metrics of all rows and of each value of the columns in `slices`."""
    raise NotImplementedError


def drift_report(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return statistic, flag and kind of drift by feature."""
    raise NotImplementedError


def diagnose(
    reference: pd.DataFrame, window: pd.DataFrame, model: Model
) -> list[dict[str, Any]]:
    """Return the causes of what is wrong in a window, likeliest first."""
    raise NotImplementedError


class Monitor:
    """Watches the days after a reference."""

    def __init__(self, reference: pd.DataFrame) -> None:
        """Learn what is usual."""

    def update(self, batch: pd.DataFrame) -> list[str]:
        """Take the log of one day, and return the features whose alert begins."""
        raise NotImplementedError
