"""Folds as the model is used: trained on the past, tested on new cards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from fraudmodel.schema import CARD, TIME

Fold: TypeAlias = tuple[pd.Index, pd.Index]


@dataclass(frozen=True)
class ExpandingCardWindow:
    """Several cuts in time, each with all earlier payments against all later *new* cards.

    A card that pays on both sides of a cut belongs to the training side; its later payments are
    left out of that fold.

    Attributes:
        quantiles: Where to cut, as shares of the payments.
    """

    quantiles: tuple[float, ...] = (0.45, 0.55, 0.65)

    def folds(self, df: pd.DataFrame) -> Iterator[Fold]:
        """Yield the folds, oldest cut first."""
        debut = df.groupby(CARD)[TIME].transform("min")
        for quantile in self.quantiles:
            cut = df[TIME].quantile(quantile, interpolation="nearest")
            yield df.index[df[TIME] < cut], df.index[debut >= cut]
