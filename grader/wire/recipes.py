"""Arguments that are built where they are used, so that the wire is not what a test measures.

Judge and candidate hold the same NumPy and pandas, so both build the same object from a recipe.
A recipe is no secret: it is what the test would have sent anyway, spelled shorter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from grader.wire.values import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["build", "numeric_frame"]

MAX_CELLS = 100_000_000


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


def _numeric_frame(rows: int, columns: int, missing: float, seed: int) -> pd.DataFrame:
    generator = np.random.Generator(np.random.Philox(seed))
    values = generator.standard_normal((rows, columns))
    values[generator.random((rows, columns)) < missing] = np.nan
    return pd.DataFrame(values, columns=[f"x{index}" for index in range(columns)])


_KINDS: dict[str, Callable[..., object]] = {"numeric_frame": _numeric_frame}


def build(recipe: Recipe) -> object:
    """Build what a recipe describes.

    Raises:
        ValueError: a kind that does not exist.
    """
    if recipe.kind not in _KINDS:
        raise ValueError(f"no recipe of kind {recipe.kind!r}; there are {sorted(_KINDS)}")
    return _KINDS[recipe.kind](**recipe.params)
