"""Card fraud model."""

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score
from sklearn.preprocessing import StandardScaler

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
CATEGORICAL = ["merchant_id", "merchant_category", "channel", "country"]


def split(df):
    # sort by time, first 60% of the time for training, rest for test
    data = df.sort_values("paid_at")
    cards = sorted(data["card_id"].unique().tolist())
    rng = np.random.RandomState(7)
    rng.shuffle(cards)
    n = int(len(cards) * 0.65)
    train_cards = set(cards[:n])
    test_cards = set(cards[n:])
    cut = data["paid_at"].iloc[int(len(data) * 0.6)]
    train_ids = []
    test_ids = []
    for id, row in data.iterrows():
        if row["card_id"] in train_cards and row["paid_at"] < cut:
            train_ids.append(id)
        if row["card_id"] in test_cards and row["paid_at"] >= cut:
            test_ids.append(id)
    return [(train_ids, test_ids)]


def prepare_train(df):
    data = df.copy()
    data["hour"] = data["paid_at"].dt.hour
    data["weekday"] = data["paid_at"].dt.day_of_week
    y = data[TARGET].values

    # rates with smoothing, and leave one out so that the row's own label is not in its rate
    mean = data[TARGET].mean()
    rates = {}
    for col in CATEGORICAL:
        data[col] = data[col].astype(object).where(data[col].notna(), "nan")
        g = data.groupby(col)[TARGET]
        s = g.sum()
        c = g.count()
        rates[col] = ((s + 20 * mean) / (c + 20)).to_dict()
        data[col + "_rate"] = (
            data[col].map(s).astype(float) - data[TARGET] + 20 * mean
        ) / (data[col].map(c).astype(float) - 1 + 20)

    cols = NUMERIC + ["hour", "weekday"] + [c + "_rate" for c in CATEGORICAL]
    med = data[cols].median()
    med = med.fillna(0)
    data[cols] = data[cols].fillna(med)

    scaler = StandardScaler()
    X = scaler.fit_transform(data[cols].values)
    return X, y, {"rates": rates, "cols": cols, "scaler": scaler, "med": med, "mean": mean}


def prepare_test(prep, df):
    data = df.copy()
    data["hour"] = data["paid_at"].dt.hour
    data["weekday"] = data["paid_at"].dt.day_of_week

    for col in CATEGORICAL:
        data[col] = data[col].astype(object).where(data[col].notna(), "nan")
        data[col + "_rate"] = data[col].apply(lambda v: prep["rates"][col].get(v, prep["mean"]))

    cols = prep["cols"]
    for c in cols:
        data[c] = data[c].astype(float)
        data[c] = data[c].fillna(prep["med"][c])

    X = prep["scaler"].transform(data[cols].values)
    return X


def run(df, folds):
    results = []
    for train_ids, test_ids in folds:
        train = df.loc[train_ids]
        test = df.loc[test_ids]

        X, y, prep = prepare_train(train)
        clf = RandomForestClassifier(
            n_estimators=200, max_depth=12, min_samples_leaf=3, class_weight="balanced", random_state=7
        )
        clf.fit(X, y)
        model = {**prep, "classifier": clf}

        test_raw = test.drop(columns=[TARGET])
        p = predict(model, test_raw)
        score = average_precision_score(test[TARGET].values, p)

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
    X = prepare_test(model, raw_df)
    return model["classifier"].predict_proba(X)[:, 1]


def main():
    df = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(result["metric"], round(result["value"], 3))


if __name__ == "__main__":
    main()
