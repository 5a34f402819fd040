"""The model that is trained, tested and shipped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from fraudmodel.features import KnownCategories, MerchantVolume, PaymentColumns


def _default_pipeline() -> Pipeline:
    return Pipeline(
        [
            ("columns", PaymentColumns()),
            ("merchant", MerchantVolume()),
            ("categories", KnownCategories()),
            (
                "boosting",
                HistGradientBoostingClassifier(
                    categorical_features="from_dtype",
                    early_stopping=False,
                    learning_rate=0.05,
                    max_iter=90,
                    max_leaf_nodes=8,
                    min_samples_leaf=30,
                    l2_regularization=5.0,
                    random_state=0,
                ),
            ),
        ]
    )


@dataclass
class FraudModel:
    """A thin shell around a scikit-learn pipeline."""

    pipeline: Pipeline = field(default_factory=_default_pipeline)

    def fit(self, rows: pd.DataFrame, labels: pd.Series) -> Self:
        """Learn from labelled payments."""
        self.pipeline.fit(rows, labels)
        return self

    def score(self, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the probability of fraud of each row."""
        return self.pipeline.predict_proba(rows)[:, 1]
