"""The numbers that a fitted model holds, by the path to each of them.

Scores cannot show everything: a scaler before trees, fitted on too many rows, moves no score. Its
mean does. What is listed here is reported from the candidate's own process, so it can accuse and
never acquit.

Listed are fitted attributes of estimators (``mean_``), also of their parts, and in
objects of the candidate's own those whose names say that they hold a statistic. What depends on an
evaluation (scores, times, search results) is left out: an honest model may carry its test score.
"""

from __future__ import annotations

import functools
import re
import types
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["numbers_of"]

_MAX_DEPTH = 12
_MAX_OBJECTS = 20_000
_MAX_NUMBERS = 400_000
_STATISTIC = re.compile(
    r"mean|avg|std|med|scal|cent|min|max|fill|imput|var|quant|encod|stat|(^|_)mu|sigma|offset"
    r"|freq|share|count|prior|prevalence|rate|bins?(_|$)|edge|shift|range|norm",
    re.IGNORECASE,
)
_EVALUATION = re.compile(
    r"score|metric|auc|loss|time|test|valid|eval|report|pred|prob|cv_results|thresh|seed"
    r"|alert|caught|captur|recall|precision|f1|hit|lift|found|result|hold_?out|monitor|drift"
    r"|(^|_)card$|meta|info|note|descri|summary|flagged",
    re.IGNORECASE,
)


def numbers_of(model: object) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """Walk an object and collect its fitted numbers.

    Args:
        model: anything.

    Returns:
        Path, such as ``Pipeline.steps[0][1].mean_`` → float64 array. Bounded in depth, objects and
        numbers; what lies beyond is left out.
    """
    walk = _Walk()
    walk.visit(model, type(model).__name__, depth=0, counts=False)
    return walk.found


class _Walk:
    def __init__(self) -> None:
        self.found: dict[str, np.ndarray[Any, np.dtype[np.float64]]] = {}
        self._seen: dict[int, object] = {}  # holds them, so that no id is used twice
        self._numbers = 0

    def visit(self, item: object, path: str, *, depth: int, counts: bool) -> None:
        """Look at one object; `counts` when its name says that numbers in it are a statistic."""
        if depth > _MAX_DEPTH or len(self._seen) > _MAX_OBJECTS:
            return
        try:
            self._look(item, path, depth=depth, counts=counts)
        except Exception:  # noqa: BLE001 - the candidate's object: what it hides is lost, no more
            return

    def _look(self, item: object, path: str, *, depth: int, counts: bool) -> None:
        if self._leaf(item, path, counts=counts) or id(item) in self._seen:
            return
        self._seen[id(item)] = item
        estimator = _is_estimator(item)
        for name, value, step in _parts(item):
            if _EVALUATION.search(name) and not _holds_estimator(value):
                continue
            fitted = name.endswith("_") if estimator else bool(_STATISTIC.search(name))
            if estimator and not fitted and not _may_hold_parts(value):
                continue  # a setting, not something learned
            self.visit(value, f"{path}{step}", depth=depth + 1, counts=counts or fitted)

    def _leaf(self, item: object, path: str, *, counts: bool) -> bool:
        """Take numbers; True when there is nothing to walk into."""
        if isinstance(
            item, str | bytes | type(None) | type | types.ModuleType | np.random.Generator
        ):
            return True
        if isinstance(
            item, pd.DataFrame | pd.Series | pd.Index | np.ndarray | int | float | np.generic
        ):
            values = _as_numbers(item) if counts else None
            if values is not None and self._numbers + values.size <= _MAX_NUMBERS:
                self._numbers += values.size
                self.found[path] = values
            return not (isinstance(item, np.ndarray) and item.dtype == object)
        return False


def _as_numbers(item: object) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    if isinstance(item, pd.DataFrame):
        item = item.select_dtypes("number")
    values = np.asarray(item)
    return values.astype("float64") if values.dtype.kind in "iuf" else None


def _is_estimator(item: object) -> bool:
    kind = type(item)  # not the object: its attributes may be made up when they are asked for
    return hasattr(kind, "get_params") and hasattr(kind, "fit")


def _holds_estimator(value: object, depth: int = 3) -> bool:
    """Whether it is one, or a list or dict of some: a "predictor" is no evaluation."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple) and depth:
        return any(_holds_estimator(item, depth - 1) for item in value[:100])
    return _is_estimator(value)


def _may_hold_parts(value: object) -> bool:
    return _is_estimator(value) or isinstance(value, list | tuple | dict)


def _parts(item: object) -> list[tuple[str, object, str]]:
    """Name, value, and step in the path, of all that an object holds."""
    if isinstance(item, dict):
        return [(str(key), value, f"[{key!r}]"[:80]) for key, value in item.items()]
    if isinstance(item, list | tuple):
        names = getattr(item, "_fields", None) or [""] * len(item)
        return [
            (name, value, f".{name}" if name else f"[{n}]")
            for n, (name, value) in enumerate(zip(names, item, strict=True))
        ]
    if isinstance(item, np.ndarray):
        return [("", value, f"[{n}]") for n, value in enumerate(item.ravel()[:1000])]
    if isinstance(item, functools.partial):
        return [*_parts(item.args), *_parts(item.keywords), *_parts(item.func)]
    if isinstance(item, types.MethodType):
        return _parts(item.__self__)
    if isinstance(item, types.FunctionType):
        cells = zip(item.__code__.co_freevars, item.__closure__ or (), strict=True)
        return [(name, _cell(cell), f".{name}") for name, cell in cells]
    slots = [n for kind in type(item).__mro__ for n in getattr(kind, "__slots__", ())]
    found = {name: getattr(item, name) for name in slots if hasattr(item, name)}
    found.update(getattr(item, "__dict__", {}))
    return [(name, value, f".{name}") for name, value in sorted(found.items())]


def _cell(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # still empty
        return None
