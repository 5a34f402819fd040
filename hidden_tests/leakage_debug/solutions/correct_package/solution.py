"""Entry points of the take-home task; the work is done in the package :mod:`fraudmodel`."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from fraudmodel.evaluation import Evaluation, FoldResult, evaluate
from fraudmodel.model import FraudModel
from fraudmodel.schema import TARGET
from fraudmodel.splitting import ExpandingCardWindow, Fold

logger = logging.getLogger(__name__)

DEFAULT_DATA = Path("data") / "payments.csv"


def split(df: pd.DataFrame) -> list[Fold]:
    """Cut the history three times; see :class:`ExpandingCardWindow`."""
    return list(ExpandingCardWindow().folds(df))


def run(df: pd.DataFrame, folds: list[Fold]) -> dict[str, object]:
    """Train and test one model per fold.

    Args:
        df: Payments with labels, in any order.
        folds: Pairs of row labels, training first.

    Returns:
        The folds' results, the metric, its plain mean, and a refit on all rows as `final_model`.
    """
    evaluation: Evaluation = evaluate(df, folds)
    for number, fold in enumerate(evaluation.folds, start=1):
        logger.info("fold %d: %s %.3f", number, evaluation.metric, fold.test_score)
    return {
        "folds": [_as_dict(fold) for fold in evaluation.folds],
        "metric": evaluation.metric,
        "value": evaluation.value,
        "final_model": FraudModel().fit(df.drop(columns=TARGET), df[TARGET]),
    }


def predict(model: FraudModel, raw_df: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Score payments, one number a row, in the rows' order."""
    return model.score(raw_df)


def _as_dict(fold: FoldResult) -> dict[str, object]:
    return {
        "train_ids": fold.train_ids,
        "test_ids": fold.test_ids,
        "model": fold.model,
        "test_score": fold.test_score,
    }


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--verbose", action="store_true")
    args, _ = parser.parse_known_args(argv)
    logging.basicConfig(level=logging.INFO if args.verbose else logging.WARNING)

    df = pd.read_csv(args.data, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(result["metric"], round(float(result["value"]), 3))


if __name__ == "__main__":
    main()
