"""Windows of many plain features, for `drift_report`: what changed in them is known to the digit.

Numbers are gamma distributed, whose quantiles are spread evenly over a uniform draw, so that every
kind of drift is a change of one column and the distance between windows is the same in each run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

START = pd.Timestamp("2024-03-04")  # a Monday
LEVELS = ("ash", "birch", "cedar", "elm", "fir")


class Wide:
    """A source of quiet windows with `numbers` number columns and `texts` text columns."""

    def __init__(self, rng: np.random.Generator, numbers: int, texts: int) -> None:
        self._start = START + pd.Timedelta(weeks=int(rng.integers(100)))
        self._means = {
            f"n{place:02d}": float(np.exp(rng.uniform(1.0, 6.0))) for place in range(numbers)
        }
        self._shapes = {name: float(rng.uniform(9.0, 40.0)) for name in self._means}
        self._shares = {f"t{place:02d}": rng.dirichlet(np.full(5, 8.0)) for place in range(texts)}

    @property
    def numbers(self) -> list[str]:
        """Names of the number columns."""
        return list(self._means)

    @property
    def texts(self) -> list[str]:
        """Names of the text columns."""
        return list(self._shares)

    def spread(self, name: str) -> float:
        """A number's standard deviation."""
        return self._means[name] / self._shapes[name] ** 0.5

    def mean(self, name: str) -> float:
        """A number's mean."""
        return self._means[name]

    def window(
        self, rng: np.random.Generator, rows: int, *, first: int, weeks: int
    ) -> pd.DataFrame:
        """A log of whole weeks from day `first` on; 2 % of each feature are missing."""
        days = first + np.sort(np.arange(rows) % (7 * weeks))
        dates = self._start + pd.to_timedelta(days, unit="D")
        columns: dict[str, Any] = {
            "date": dates,
            "score": rng.random(rows),
            "churned": np.where(
                rng.random(rows) < 0.2, np.nan, (rng.random(rows) < 0.3).astype(float)
            ),
        }
        for name, mean in self._means.items():
            values = rng.gamma(self._shapes[name], mean / self._shapes[name], rows)
            columns[name] = np.where(rng.random(rows) < 0.02, np.nan, values)
        for name, shares in self._shares.items():
            values = rng.choice(np.array(LEVELS, dtype=object), rows, p=shares)
            columns[name] = pd.Series(values).mask(rng.random(rows) < 0.02).astype("str")
        return pd.DataFrame(columns)

    def reference(self, rng: np.random.Generator, rows: int = 1400) -> pd.DataFrame:
        """Four weeks from day 0 on."""
        return self.window(rng, rows, first=0, weeks=4)

    def current(self, rng: np.random.Generator, rows: int = 560) -> pd.DataFrame:
        """The two weeks after them."""
        return self.window(rng, rows, first=28, weeks=2)


def changed(
    frame: pd.DataFrame, name: str, change: Callable[[pd.Series], pd.Series]
) -> pd.DataFrame:
    return frame.assign(**{name: change(frame[name])})


def replaced(
    frame: pd.DataFrame, name: str, rows: np.ndarray[Any, np.dtype[np.bool_]], value: object
) -> pd.DataFrame:
    """The feature has one value, or none, in these rows."""
    return changed(frame, name, lambda column: column.mask(rows, value))


def moved(frame: pd.DataFrame, source: Wide, name: str, spreads: float) -> pd.DataFrame:
    """A number larger by `spreads` standard deviations; 1.0 is a distance of about 0.38."""
    return changed(frame, name, lambda column: column + spreads * source.spread(name))


def mixed(frame: pd.DataFrame, rng: np.random.Generator, name: str, share: float) -> pd.DataFrame:
    """Of a text a share of the rows has the level that was rarest."""
    rarest = str(frame[name].value_counts().idxmin())
    return changed(frame, name, lambda column: column.mask(rng.random(len(column)) < share, rarest))


def two_humps(
    frame: pd.DataFrame, reference: pd.DataFrame, rng: np.random.Generator, name: str
) -> pd.DataFrame:
    """Values in a large and a small hump, with the reference's mean and standard deviation.

    The distance is about 0.45.
    """
    mean, spread = float(reference[name].mean()), float(reference[name].std())
    side = np.where(rng.random(len(frame)) < 0.2, 2.0, -0.5)  # mean 0, standard deviation 1
    width = 0.15
    values = mean + spread * (side * (1 - width**2) ** 0.5 + width * rng.normal(size=len(frame)))
    return changed(frame, name, lambda column: pd.Series(values).mask(column.isna()))
