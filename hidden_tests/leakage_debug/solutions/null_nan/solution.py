import numpy as np


def split(df):
    first = df.groupby("card_id")["paid_at"].transform("min")
    cut = df["paid_at"].quantile(0.6)
    return [(df.index[df["paid_at"] < cut].tolist(), df.index[first >= cut].tolist())]


def run(df, folds):
    results = [
        {"train_ids": train, "test_ids": test, "model": "model", "test_score": float("nan")}
        for train, test in folds
    ]
    return {"folds": results, "metric": "average_precision", "value": float("nan")}


def predict(model, raw_df):
    return np.full(len(raw_df), np.nan)
