"""Arguments that are built where they are used, so that the wire is not what a test measures.

Judge and candidate hold the same NumPy and pandas, so both build the same object from a recipe.
A recipe is no secret: it is what the test would have sent anyway, spelled shorter.
"""

from __future__ import annotations

import io
import logging
import sys
from collections import deque
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from grader.wire.values import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["STAND_IN", "build", "last_items", "numbered_texts", "numeric_frame", "recorded_output"]

MAX_CELLS = 100_000_000
STAND_IN = "stand_in"  # a function that asks the judge; its process builds it


def numeric_frame(*, rows: int, columns: int, missing: float, seed: int) -> Recipe:
    """A float64 frame of ``rows`` by ``columns`` with a share ``missing`` of NaN.

    Raises:
        ValueError: more than :data:`MAX_CELLS` cells.
    """
    if rows * columns > MAX_CELLS:
        raise ValueError(f"{rows} by {columns} cells are above {MAX_CELLS}")
    return Recipe(
        "numeric_frame", {"rows": rows, "columns": columns, "missing": missing, "seed": seed}
    )


def numbered_texts(template: str, *, count: int) -> Recipe:
    """A generator of ``count`` texts, ``template`` with its ``{}`` replaced by 0, 1, 2, …."""
    return Recipe("numbered_texts", {"template": template, "count": count})


def last_items(length: int) -> Recipe:
    """An empty deque that keeps the last ``length`` items that it is given.

    ``solution.make(last_items(9)).extend(results)`` reads an iterator to its end there, and keeps
    next to nothing of it: what then grows was kept by the iterator's owner.
    """
    return Recipe("last_items", {"length": length})


def recorded_output() -> Recipe:
    """Standard output and error from here on, as a file in memory: ask it for ``getvalue()``.

    What is logged is in it as well, down to the level DEBUG and with a record's ``extra``: a
    service may be run with it, and with a formatter that shows all of a record.

    It may accuse a submission and never acquit one: what is written past Python's own files is not
    in it, and it lies where the submission runs.
    """
    return Recipe("recorded_output", {})


class _WholeRecords(logging.Formatter):
    """Messages, each with what the record was given besides, as formatters for JSON show it."""

    _USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

    def format(self, record: logging.LogRecord) -> str:
        more = {name: value for name, value in vars(record).items() if name not in self._USUAL}
        return super().format(record) + (f" {more}" if more else "")


def _recorded_output() -> io.StringIO:
    record, streams = io.StringIO(), (sys.stdout, sys.stderr)
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):  # a name in between has none
            if isinstance(handler, logging.StreamHandler) and handler.stream in streams:
                handler.setStream(record)
    sys.stdout = sys.stderr = record
    handler = logging.StreamHandler(record)
    handler.setFormatter(_WholeRecords())
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.DEBUG)
    return record


def _numbered_texts(template: str, count: int) -> Iterator[str]:
    return (template.replace("{}", str(number)) for number in range(count))


def _last_items(length: int) -> deque[object]:
    return deque(maxlen=length)


def _numeric_frame(rows: int, columns: int, missing: float, seed: int) -> pd.DataFrame:
    generator = np.random.Generator(np.random.Philox(seed))
    values = generator.standard_normal((rows, columns))
    values[generator.random((rows, columns)) < missing] = np.nan
    return pd.DataFrame(values, columns=[f"x{index}" for index in range(columns)])


_KINDS: dict[str, Callable[..., object]] = {
    "last_items": _last_items,
    "numbered_texts": _numbered_texts,
    "numeric_frame": _numeric_frame,
    "recorded_output": _recorded_output,
}


def build(recipe: Recipe) -> object:
    """Build what a recipe describes.

    Raises:
        ValueError: a kind that does not exist.
    """
    if recipe.kind not in _KINDS:
        raise ValueError(f"no recipe of kind {recipe.kind!r}; there are {sorted(_KINDS)}")
    return _KINDS[recipe.kind](**recipe.params)
