"""Card fraud model: bagged logistic regressions on binned features."""

import argparse

import numpy as np
import pandas as pd
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

TARGET = "is_fraud"
NUMERIC = (
    "amount_eur",
    "minutes_since_last",
    "distance_km",
    "device_age_days",
    "card_age_days",
    "failed_pins_24h",
    "credit_limit_eur",
)
CATEGORICAL = ("merchant_category", "channel", "country")
TRAIN_SHARE = 0.6


def split(df: pd.DataFrame) -> list[tuple[list, list]]:
    """Oldest 60 % of the payments train; of the others, those of cards that are new test."""
    ordered = df.sort_values("paid_at")
    border = int(TRAIN_SHARE * len(ordered))
    train, later = ordered.iloc[:border], ordered.iloc[border:]
    test = later[~later["card_id"].isin(train["card_id"])]
    return [(train.index.tolist(), test.index.tolist())]


class Binner:
    """Numbers to deciles and names to dummies; the edges and names are those of training."""

    def __init__(self, rows: pd.DataFrame) -> None:
        numbers = self._numbers(rows)
        shares = np.linspace(0.1, 0.9, 9)
        self.edges = {c: np.unique(numbers[c].dropna().quantile(shares)) for c in numbers}
        self.names = {c: sorted(rows[c].dropna().unique()) for c in CATEGORICAL}

    @staticmethod
    def _numbers(rows: pd.DataFrame) -> pd.DataFrame:
        numbers = rows[list(NUMERIC)].apply(pd.to_numeric, errors="coerce").astype(float)
        numbers["of_limit"] = numbers["amount_eur"] / numbers["credit_limit_eur"].clip(lower=1)
        return numbers.assign(hour=rows["paid_at"].dt.hour.astype(float))

    def __call__(self, rows: pd.DataFrame) -> np.ndarray:
        blocks = []
        for name, values in self._numbers(rows).items():
            values = values.to_numpy()
            steps = values[:, None] > self.edges[name]  # False where missing
            blocks += [steps, np.isnan(values)[:, None]]
        for column, names in self.names.items():
            blocks.append(np.column_stack([rows[column].isin([name]) for name in names]))
        return np.hstack([np.asarray(block, dtype=float) for block in blocks])


def fit(rows: pd.DataFrame) -> tuple[Binner, BaggingClassifier]:
    """Learn bins and classifiers."""
    binner = Binner(rows)
    bag = BaggingClassifier(LogisticRegression(C=0.05, max_iter=500), 10, random_state=4)
    return binner, bag.fit(binner(rows), rows[TARGET])


def run(df: pd.DataFrame, folds: list) -> dict:
    """Train on each fold's training rows and test on its test rows."""
    results = []
    for train_ids, test_ids in folds:
        model = fit(df.loc[train_ids])
        test = df.loc[test_ids]
        scores = predict(model, test.drop(columns=TARGET))
        results.append(
            {
                "train_ids": train_ids,
                "test_ids": test_ids,
                "model": model,
                "test_score": float(average_precision_score(test[TARGET], scores)),
            }
        )
    value = float(np.mean([result["test_score"] for result in results]))
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model: tuple[Binner, BaggingClassifier], raw_df: pd.DataFrame) -> list[float]:
    """Fraud probability of each payment."""
    binner, bag = model
    return bag.predict_proba(binner(raw_df))[:, 1].tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="data/payments.csv")
    args = parser.parse_args()
    df = pd.read_csv(args.data, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(result["metric"], round(result["value"], 3))


if __name__ == "__main__":
    main()
