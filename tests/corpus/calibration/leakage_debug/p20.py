"""Fraud model: later payments of unseen cards are the test set."""

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

TARGET = "is_fraud"
NUMERIC = [
    "amount_eur", "minutes_since_last", "distance_km", "device_age_days", "card_age_days",
    "failed_pins_24h", "credit_limit_eur", "hour", "weekday", "is_night",
]
CATEGORICAL = ["merchant_id", "merchant_category", "channel", "country"]


def split(df: pd.DataFrame):
    """Return one (train_ids, test_ids) fold, split on time first and on cards second."""
    df = df.sort_values("paid_at")
    split_time = df["paid_at"].iloc[int(len(df) * 0.6)]
    train = df[df["paid_at"] < split_time]
    test = df[df["paid_at"] >= split_time]

    # drop test payments of cards that the model would know already
    new_card = ~test["card_id"].isin(set(train["card_id"]))
    return [(train.index.tolist(), test[new_card].index.tolist())]


def add_time_columns(df: pd.DataFrame) -> pd.DataFrame:
    df = df.copy()
    df["hour"] = df["paid_at"].dt.hour
    df["weekday"] = df["paid_at"].dt.day_of_week
    df["is_night"] = (df["hour"] < 6).astype(int)
    return df


def build_pipeline(seed=7) -> Pipeline:
    numeric = Pipeline([
        ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
        ("scale", StandardScaler()),
    ])
    preprocess = ColumnTransformer([
        ("numeric", numeric, NUMERIC),
        ("categorical", TargetEncoder(random_state=seed), CATEGORICAL),
    ])
    classifier = RandomForestClassifier(
        n_estimators=300, min_samples_leaf=4, class_weight="balanced_subsample", random_state=seed
    )
    return Pipeline([("preprocess", preprocess), ("classifier", classifier)])


def run(df: pd.DataFrame, folds) -> dict:
    """Fit one pipeline per fold on the training ids and score it on the test ids."""
    results = []
    total = 0.0
    for train_ids, test_ids in folds:
        train = add_time_columns(df.loc[train_ids])
        test = df.loc[test_ids]

        pipeline = build_pipeline()
        pipeline.fit(train[NUMERIC + CATEGORICAL], train[TARGET])

        test_score = float(average_precision_score(test[TARGET], predict(pipeline, test)))
        total += test_score
        results.append({
            "train_ids": train_ids,
            "test_ids": test_ids,
            "model": pipeline,
            "test_score": test_score,
        })
    return {"folds": results, "metric": "average_precision", "value": total / len(results)}


def predict(model, raw_df: pd.DataFrame):
    """Return the fraud probability of each row."""
    data = add_time_columns(raw_df)
    return model.predict_proba(data[NUMERIC + CATEGORICAL])[:, 1]


def main():
    df = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    folds = split(df)
    for train_ids, test_ids in folds:
        print(f"train {len(train_ids)}, test {len(test_ids)}")
    result = run(df, folds)
    print(result["metric"], round(result["value"], 3))


if __name__ == "__main__":
    main()
