"""Card fraud model, evaluated on new cards and later payments."""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

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
LOW_CARDINALITY = ["merchant_category", "channel", "country"]
HIGH_CARDINALITY = ["merchant_id"]


def split(df):
    """One fold: older payments of 60 % of the cards against newer ones of the other 40 %."""
    cards = np.sort(df["card_id"].unique())
    rng = np.random.default_rng(42)
    train_cards = rng.choice(cards, size=int(0.6 * len(cards)), replace=False)
    in_train = df["card_id"].isin(train_cards)
    cut = df["paid_at"].sort_values().iloc[int(0.65 * len(df))]
    train = df[in_train & (df["paid_at"] < cut)]
    test = df[~in_train & (df["paid_at"] >= cut)]
    return [(train.index.tolist(), test.index.tolist())]


def make_features(df):
    X = df[NUMERIC].astype(float)
    X["hour"] = df["paid_at"].dt.hour.astype(float)
    X["weekday"] = df["paid_at"].dt.dayofweek.astype(float)
    for col in LOW_CARDINALITY + HIGH_CARDINALITY:
        X[col] = df[col].astype(object).where(df[col].notna(), "unknown").astype(str)
    return X


def make_model():
    numeric = NUMERIC + ["hour", "weekday"]
    preprocess = ColumnTransformer(
        [
            ("num", SimpleImputer(strategy="median", keep_empty_features=True), numeric),
            ("low", OneHotEncoder(handle_unknown="ignore"), LOW_CARDINALITY),
            ("high", TargetEncoder(random_state=0), HIGH_CARDINALITY),
        ],
        sparse_threshold=0,
    )
    forest = RandomForestClassifier(
        n_estimators=300,
        min_samples_leaf=5,
        class_weight="balanced_subsample",
        random_state=0,
    )
    return Pipeline([("preprocess", preprocess), ("forest", forest)])


def run(df, folds):
    """Fit one model per fold, only on its training rows, and score it on all its test rows."""
    results = []
    for train_ids, test_ids in folds:
        train = df.loc[train_ids]
        test = df.loc[test_ids]
        model = make_model()
        model.fit(make_features(train), train[TARGET])
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
    return model.predict_proba(make_features(raw_df))[:, 1]


def main():
    df = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(result["metric"], round(result["value"], 3))


if __name__ == "__main__":
    main()
