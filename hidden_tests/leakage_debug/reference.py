"""What an honest, ordinary model reaches: the judge's yardstick for the hold-out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data import LABEL, NUMERIC, TIME
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["honest_scores"]

_CATEGORIES = ["merchant_category", "channel", "country"]


def _features(frame: pd.DataFrame) -> pd.DataFrame:
    night = (frame[TIME].dt.hour < 6) | (frame[TIME].dt.hour >= 23)
    return frame[[*NUMERIC, *_CATEGORIES]].assign(night=night.astype(int))


def honest_scores(train: pd.DataFrame, later: pd.DataFrame) -> NDArray[np.float64]:
    """Probabilities of a logistic regression without the merchant; shape ``(len(later),)``."""
    numeric = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = make_column_transformer(
        (numeric, [*NUMERIC, "night"]), (OneHotEncoder(handle_unknown="ignore"), _CATEGORIES)
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=1000))
    model.fit(_features(train), train[LABEL])
    return model.predict_proba(_features(later))[:, 1]
