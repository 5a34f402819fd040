"""Card fraud model: gradient boosting, tuned within training, three expanding windows."""

from itertools import product

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
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
GRID = [
    {"max_leaf_nodes": leaves, "learning_rate": rate, "l2_regularization": l2}
    for leaves, rate, l2 in product([4, 8], [0.05, 0.1], [1.0, 20.0])
]


def cut_at(df, share):
    """Rows before the cut, and later rows of cards that are new after it."""
    cut = df["paid_at"].quantile(share)
    first = df.groupby("card_id")["paid_at"].transform("min")
    return df.index[df["paid_at"] < cut].tolist(), df.index[first >= cut].tolist()


def split(df):
    """Three folds, each with a longer history than the one before."""
    return [cut_at(df, share) for share in (0.45, 0.55, 0.65)]


class Booster:
    """HistGradientBoosting that keeps the category names of its training rows."""

    def __init__(self, **params):
        self.params = params

    def features(self, rows):
        X = rows[NUMERIC].apply(pd.to_numeric, errors="coerce").astype(float)
        X["hour"] = rows["paid_at"].dt.hour.astype(float)
        for column in CATEGORICAL:
            X[column] = rows[column].map(self.codes[column]).astype(float)
        return X

    def fit(self, rows):
        self.codes = {
            c: {name: code for code, name in enumerate(sorted(rows[c].dropna().unique()))}
            for c in CATEGORICAL
        }
        self.booster = HistGradientBoostingClassifier(
            max_iter=80,
            min_samples_leaf=25,
            categorical_features=CATEGORICAL,
            early_stopping=False,
            random_state=1,
            **self.params,
        )
        self.booster.fit(self.features(rows), rows[TARGET])
        return self

    def score(self, rows):
        return self.booster.predict_proba(self.features(rows))[:, 1]


def tune(rows):
    """The best parameters on the newest cards of these training rows."""
    older, newer = cut_at(rows, 0.6)
    judge = rows.loc[newer]
    if judge[TARGET].sum() == 0 or rows.loc[older, TARGET].sum() == 0:
        return GRID[0]
    quality = [
        average_precision_score(judge[TARGET], Booster(**params).fit(rows.loc[older]).score(judge))
        for params in GRID
    ]
    return GRID[int(np.argmax(quality))]


def run(df, folds):
    """Tune on training rows only, then train and test each fold."""
    # one set of parameters for all folds, from the longest history: the short ones are too noisy
    longest = max((train_ids for train_ids, _ in folds), key=len)
    params = tune(df.loc[longest])

    results = []
    for train_ids, test_ids in folds:
        model = Booster(**params).fit(df.loc[train_ids])
        test = df.loc[test_ids]
        score = average_precision_score(test[TARGET], predict(model, test.drop(columns=TARGET)))
        results.append(
            {
                "train_ids": train_ids,
                "test_ids": test_ids,
                "model": model,
                "test_score": float(score),
            }
        )
    value = float(np.mean([r["test_score"] for r in results]))
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model, raw_df):
    """Probability of fraud of each row."""
    return model.score(raw_df)


def main():
    df = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(result["metric"], round(result["value"], 3))


if __name__ == "__main__":
    main()
