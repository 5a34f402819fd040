"""Card fraud model: random forest, tested on later payments of new cards."""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

TARGET = "is_fraud"
NOT_FEATURES = ["card_id", "paid_at", "merchant_id", "review_minutes", TARGET]


def split(df):
    """The newest 40 % of the time are for testing, without the cards seen before."""
    cut = df["paid_at"].quantile(0.6)
    is_train = df["paid_at"] < cut
    seen = set(df.loc[is_train, "card_id"])
    is_test = ~is_train & ~df["card_id"].isin(seen)
    return [(df.index[is_train].tolist(), df.index[is_test].tolist())]


def to_features(df):
    """Drop what is unknown in production or identifies a card; add the hour."""
    features = df.drop(columns=NOT_FEATURES, errors="ignore")
    features["hour"] = df["paid_at"].dt.hour
    return features


def make_model():
    encode = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1
    )
    columns = make_column_transformer(
        (SimpleImputer(strategy="median"), make_column_selector(dtype_include="number")),
        (encode, make_column_selector(dtype_exclude="number")),
    )
    forest = RandomForestClassifier(n_estimators=50, min_samples_leaf=4, random_state=7)
    return make_pipeline(columns, forest)


def run(df, folds):
    results = []
    for train_ids, test_ids in folds:
        train, test = df.loc[train_ids], df.loc[test_ids]
        model = make_model().fit(to_features(train), train[TARGET])
        scores = predict(model, test.drop(columns=TARGET))
        results.append(
            {
                "train_ids": train_ids,
                "test_ids": test_ids,
                "model": model,
                "test_score": float(roc_auc_score(test[TARGET], scores)),
            }
        )
    value = float(np.mean([r["test_score"] for r in results]))
    return {"folds": results, "metric": "roc_auc", "value": value}


def predict(model, raw_df):
    return model.predict_proba(to_features(raw_df))[:, 1]


def main():
    df = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(result["metric"], round(result["value"], 3))


if __name__ == "__main__":
    main()
