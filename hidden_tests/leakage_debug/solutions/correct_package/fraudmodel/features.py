"""Transformers that learn from training rows only."""

from __future__ import annotations

from typing import Self

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from fraudmodel.schema import MERCHANT, NOMINAL, NUMERIC, TIME


class PaymentColumns(TransformerMixin, BaseEstimator):
    """Choose, convert and derive the columns of a single payment. Learns nothing.

    `review_minutes` is not chosen: it is written after the payment has been scored. Neither is
    `card_id`, as the model is for cards that it has never seen.
    """

    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> Self:
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        frame = X.loc[:, list(NUMERIC)].apply(pd.to_numeric, errors="coerce").astype("float64")
        frame["amount_of_limit"] = frame["amount_eur"] / frame["credit_limit_eur"].where(lambda s: s > 0)
        frame["hour"] = X[TIME].dt.hour.astype("float64")
        frame["day_of_week"] = X[TIME].dt.day_of_week.astype("float64")
        return frame.join(X.loc[:, [MERCHANT, *NOMINAL]].astype("object"))


class KnownCategories(TransformerMixin, BaseEstimator):
    """Turn columns into the `category` dtype; what training has not seen becomes missing."""

    def __init__(self, columns: tuple[str, ...] = NOMINAL) -> None:
        self.columns = columns

    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> Self:
        self.dtypes_ = {
            column: pd.CategoricalDtype(sorted(X[column].dropna().unique(), key=str))
            for column in self.columns
        }
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        known = {c: X[c].where(X[c].isin(d.categories)) for c, d in self.dtypes_.items()}
        return X.assign(**{c: known[c].astype(d) for c, d in self.dtypes_.items()})


class MerchantVolume(TransformerMixin, BaseEstimator):
    """Replace the merchant by its share of the training payments."""

    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> Self:
        self.share_ = X[MERCHANT].value_counts(normalize=True).to_dict()
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        share = X[MERCHANT].map(self.share_).astype("float64").fillna(0.0)
        return X.drop(columns=MERCHANT).assign(merchant_volume=share)
