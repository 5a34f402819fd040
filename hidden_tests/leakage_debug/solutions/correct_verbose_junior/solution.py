# Fraud model - repaired version
# I went through the script step by step and moved everything after the split.

import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.preprocessing import StandardScaler

TARGET = "is_fraud"
# review_minutes is NOT here any more (it is only known after the review!)
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
VERBOSE = False


def log(*args):
    if VERBOSE:
        print(*args)


def split(df):
    folds = []
    for q in [0.5, 0.6]:
        cut = df["paid_at"].quantile(q)
        train_ids = []
        seen_cards = set()
        for row_id, card, when in zip(df.index, df["card_id"], df["paid_at"]):
            if when < cut:
                train_ids.append(row_id)
                seen_cards.add(card)
        test_ids = []
        for row_id, card, when in zip(df.index, df["card_id"], df["paid_at"]):
            if when >= cut and card not in seen_cards:
                test_ids.append(row_id)
        log("cut at", cut, "train", len(train_ids), "test", len(test_ids))
        folds.append((train_ids, test_ids))
    return folds


def get_medians(train):
    medians = {}
    for col in NUMERIC:
        medians[col] = train[col].median()
    return medians


def fill_missing(data, medians):
    data = data.copy()
    for col in NUMERIC:
        data[col] = data[col].fillna(medians[col])
    for col in CATEGORICAL:
        data[col] = data[col].fillna("unknown")
    return data


def get_dummy_names(train):
    names = {}
    for col in CATEGORICAL:
        names[col] = sorted(set(train[col]))
    return names


def make_matrix(data, dummy_names):
    columns = []
    for col in NUMERIC:
        columns.append(data[col].values.astype(float))
    columns.append(data["paid_at"].dt.hour.values.astype(float))
    night = (data["paid_at"].dt.hour < 6) | (data["paid_at"].dt.hour >= 23)
    columns.append(night.values.astype(float))
    for col in CATEGORICAL:
        for name in dummy_names[col]:
            columns.append((data[col] == name).values.astype(float))
    return np.array(columns).T


def train_model(train):
    # everything in this function sees the training rows only
    medians = get_medians(train)
    train = fill_missing(train, medians)
    dummy_names = get_dummy_names(train)
    X = make_matrix(train, dummy_names)
    y = train[TARGET].values
    scaler = StandardScaler()
    X = scaler.fit_transform(X)
    # balance AFTER the split, and only the training rows
    X, y = RandomOverSampler(random_state=1).fit_resample(X, y)
    log("after oversampling:", len(y))
    classifier = LogisticRegression(max_iter=1000)
    classifier.fit(X, y)
    model = {
        "medians": medians,
        "dummy_names": dummy_names,
        "scaler": scaler,
        "classifier": classifier,
    }
    return model


def run(df, folds):
    results = []
    scores = []
    for i, (train_ids, test_ids) in enumerate(folds):
        train = df.loc[train_ids]
        test = df.loc[test_ids]
        model = train_model(train)
        test_predictions = predict(model, test.drop(columns=[TARGET]))
        test_score = float(average_precision_score(test[TARGET], test_predictions))
        log("fold", i, "average precision", test_score)
        scores.append(test_score)
        result = {
            "train_ids": train_ids,
            "test_ids": test_ids,
            "model": model,
            "test_score": test_score,
        }
        results.append(result)
    return {"folds": results, "metric": "average_precision", "value": sum(scores) / len(scores)}


def predict(model, raw_df):
    data = fill_missing(raw_df, model["medians"])
    X = make_matrix(data, model["dummy_names"])
    X = model["scaler"].transform(X)
    return model["classifier"].predict_proba(X)[:, 1]


def main():
    df = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    folds = split(df)
    result = run(df, folds)
    for fold in result["folds"]:
        print("train", len(fold["train_ids"]), "test", len(fold["test_ids"]), fold["test_score"])
    print(result["metric"], round(result["value"], 3))


if __name__ == "__main__":
    main()
