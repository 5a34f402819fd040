"""Card fraud with SMOTE where it belongs: behind fit."""

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

TARGET = "is_fraud"
NUMERIC = [
    "amount_eur",
    "minutes_since_last",
    "distance_km",
    "device_age_days",
    "card_age_days",
    "failed_pins_24h",
    "credit_limit_eur",
    "hour",
]
CATEGORICAL = ["merchant_category", "channel", "country"]


def split(df):
    """Train on the first 55 % of the payments, test on later payments of new cards."""
    begin = df["paid_at"].sort_values().iloc[int(len(df) * 0.55)]
    first_payment = df.groupby("card_id")["paid_at"].transform("min")
    train_ids = df.index[df["paid_at"] < begin].tolist()
    test_ids = df.index[first_payment >= begin].tolist()
    return [(train_ids, test_ids)]


def add_hour(df):
    return df.assign(hour=df["paid_at"].dt.hour)


def make_model():
    # an imblearn Pipeline resamples in fit and never in predict
    return Pipeline(
        [
            (
                "columns",
                ColumnTransformer(
                    [
                        (
                            "numeric",
                            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
                            NUMERIC,
                        ),
                        (
                            "categorical",
                            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                            CATEGORICAL,
                        ),
                    ]
                ),
            ),
            ("smote", SMOTE(random_state=7, k_neighbors=3)),
            ("classifier", LogisticRegression(max_iter=1000)),
        ]
    )


def run(df, folds):
    results = []
    for train_ids, test_ids in folds:
        train, test = df.loc[train_ids], df.loc[test_ids]
        model = make_model().fit(add_hour(train), train[TARGET])
        scores = predict(model, test.drop(columns=TARGET))
        results.append(
            {
                "train_ids": train_ids,
                "test_ids": test_ids,
                "model": model,
                "test_score": float(average_precision_score(test[TARGET], scores)),
            }
        )
    value = float(np.mean([r["test_score"] for r in results]))
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model, raw_df):
    return model.predict_proba(add_hour(raw_df))[:, 1]


def main():
    df = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(result["metric"], round(result["value"], 3))


if __name__ == "__main__":
    main()
