"""Honest numbers: one model a fold, tested on that fold's test rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

import pandas as pd
from sklearn.metrics import average_precision_score

from fraudmodel.model import FraudModel
from fraudmodel.schema import TARGET
from fraudmodel.splitting import Fold


@dataclass(frozen=True)
class FoldResult:
    """A model and how it did on its test rows."""

    train_ids: pd.Index
    test_ids: pd.Index
    model: FraudModel
    test_score: float


@dataclass(frozen=True)
class Evaluation:
    """All folds and their plain mean."""

    folds: tuple[FoldResult, ...]
    metric: str = "average_precision"

    @property
    def value(self) -> float:
        return fmean(fold.test_score for fold in self.folds)


def evaluate(df: pd.DataFrame, folds: Iterable[Fold]) -> Evaluation:
    """Train and test on each fold by itself."""
    features, labels = df.drop(columns=TARGET), df[TARGET]
    results = []
    for train_ids, test_ids in folds:
        model = FraudModel().fit(features.loc[train_ids], labels.loc[train_ids])
        scores = model.score(features.loc[test_ids])
        score = float(average_precision_score(labels.loc[test_ids], scores))
        results.append(FoldResult(train_ids, test_ids, model, score))
    return Evaluation(tuple(results))
