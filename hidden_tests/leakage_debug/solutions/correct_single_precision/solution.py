"""Fraud scores from a small neural network in NumPy, in single precision to save memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

TARGET = "is_fraud"
NUMERIC = [
    "amount_eur",
    "minutes_since_last",
    "distance_km",
    "device_age_days",
    "card_age_days",
    "failed_pins_24h",
    "credit_limit_eur",
]
CATEGORICAL = ["merchant_category", "channel", "country"]
HIDDEN = 8
EPOCHS = 150


class Preparation:
    """Turns raw rows into a float32 matrix, as learned from training rows."""

    def __init__(self, train: pd.DataFrame) -> None:
        numbers = self._numbers(train)
        self.fill = np.nanmedian(numbers, axis=0)
        filled = np.where(np.isnan(numbers), self.fill, numbers)
        self.center, self.spread = filled.mean(axis=0), filled.std(axis=0) + 1e-9
        self.levels = {name: sorted(train[name].dropna().unique()) for name in CATEGORICAL}

    def __call__(self, df: pd.DataFrame) -> np.ndarray:
        numbers = self._numbers(df)
        filled = np.where(np.isnan(numbers), self.fill, numbers)
        parts = [(filled - self.center) / self.spread]
        for name, levels in self.levels.items():
            values = df[name].astype(object).to_numpy()[:, None]
            parts.append(values == np.array(levels, dtype=object)[None, :])
        return np.hstack(parts).astype(np.float32)

    @staticmethod
    def _numbers(df: pd.DataFrame) -> np.ndarray:
        numbers = df[NUMERIC].to_numpy(dtype=float)
        numbers[:, :4] = np.log1p(np.maximum(numbers[:, :4], 0))
        hour = df["paid_at"].dt.hour.to_numpy()
        return np.column_stack([numbers, (hour < 6) | (hour >= 23)])


class Network:
    """One hidden layer, trained with Adam on all rows at once."""

    def __init__(self, inputs: int, rng: np.random.Generator) -> None:
        draw = rng.standard_normal
        self.weights = [
            (draw((inputs, HIDDEN)) / np.sqrt(inputs)).astype(np.float32),
            np.zeros(HIDDEN, np.float32),
            (draw(HIDDEN) / np.sqrt(HIDDEN)).astype(np.float32),
            np.zeros((), np.float32),
        ]

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w1, b1, w2, b2 = self.weights
        hidden = np.tanh(x @ w1 + b1)
        return hidden, 1 / (1 + np.exp(-(hidden @ w2 + b2)))

    def gradients(self, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        hidden, chance = self.forward(x)
        error = (chance - y) / len(y)
        back = np.outer(error, self.weights[2]) * (1 - hidden**2)
        slopes = [x.T @ back, back.sum(axis=0), hidden.T @ error, error.sum()]
        return [s + 3e-3 * w for s, w in zip(slopes, self.weights, strict=True)]

    def train(self, x: np.ndarray, y: np.ndarray, rate: float = 0.03) -> None:
        first = [np.zeros_like(w) for w in self.weights]
        second = [np.zeros_like(w) for w in self.weights]
        for step in range(1, EPOCHS + 1):
            for k, slope in enumerate(self.gradients(x, y)):
                first[k] = 0.9 * first[k] + 0.1 * slope
                second[k] = 0.999 * second[k] + 0.001 * slope**2
                move = first[k] / (1 - 0.9**step)
                scale = np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8
                self.weights[k] = (self.weights[k] - rate * move / scale).astype(np.float32)


def split(df: pd.DataFrame) -> list[tuple[list, list]]:
    """Learn from the past, test on cards that are new after the cut."""
    starts = df.groupby("card_id")["paid_at"].transform("min")
    cut = df["paid_at"].quantile(0.6)
    return [(df.index[df["paid_at"] < cut].tolist(), df.index[starts >= cut].tolist())]


def run(df: pd.DataFrame, folds: list[tuple[list, list]]) -> dict:
    """Train and test a network on each fold."""
    results = []
    for train_ids, test_ids in folds:
        train, test = df.loc[train_ids], df.loc[test_ids]
        prepare = Preparation(train)
        x = prepare(train)
        network = Network(x.shape[1], np.random.default_rng(5))
        network.train(x, train[TARGET].to_numpy(np.float32))
        model = (prepare, network)
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


def predict(model: tuple[Preparation, Network], raw_df: pd.DataFrame) -> np.ndarray:
    """Probability of fraud for each row, float32."""
    prepare, network = model
    return network.forward(prepare(raw_df))[1]


def main() -> None:
    """Evaluate on the shipped history."""
    path = Path(__file__).parent / "data" / "payments.csv"
    df = pd.read_csv(path, index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(f"{result['metric']}: {result['value']:.3f}")


if __name__ == "__main__":
    main()
