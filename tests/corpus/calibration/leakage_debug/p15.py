import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score

TARGET = "is_fraud"


def split(df):
    # fold 1
    cutoff1 = df["paid_at"].quantile(0.5)
    train1 = df[df["paid_at"] < cutoff1]
    test1 = df[df["paid_at"] >= cutoff1]
    cards1 = train1["card_id"].unique()
    test1 = test1[~test1["card_id"].isin(cards1)]
    train1_ids = train1.index.tolist()
    test1_ids = test1.index.tolist()
    # fold 2
    cutoff2 = df["paid_at"].quantile(0.6)
    train2 = df[df["paid_at"] < cutoff2]
    test2 = df[df["paid_at"] >= cutoff2]
    cards2 = train2["card_id"].unique()
    test2 = test2[~test2["card_id"].isin(cards2)]
    train2_ids = train2.index.tolist()
    test2_ids = test2.index.tolist()
    # fold 3
    cutoff3 = df["paid_at"].quantile(0.7)
    train3 = df[df["paid_at"] < cutoff3]
    test3 = df[df["paid_at"] >= cutoff3]
    cards3 = train3["card_id"].unique()
    test3 = test3[~test3["card_id"].isin(cards3)]
    train3_ids = train3.index.tolist()
    test3_ids = test3.index.tolist()
    return [(train1_ids, test1_ids), (train2_ids, test2_ids), (train3_ids, test3_ids)]


def prepare_train(train):
    data = train.copy()
    info = {}
    data["hour"] = data["paid_at"].dt.hour
    data["weekday"] = data["paid_at"].dt.day_of_week

    info["amount_median"] = data["amount_eur"].median()
    data["amount_eur"] = data["amount_eur"].fillna(info["amount_median"])
    info["minutes_median"] = data["minutes_since_last"].median()
    data["minutes_since_last"] = data["minutes_since_last"].fillna(info["minutes_median"])
    info["distance_median"] = data["distance_km"].median()
    data["distance_km"] = data["distance_km"].fillna(info["distance_median"])
    info["device_median"] = data["device_age_days"].median()
    data["device_age_days"] = data["device_age_days"].fillna(info["device_median"])
    info["card_median"] = data["card_age_days"].median()
    data["card_age_days"] = data["card_age_days"].fillna(info["card_median"])
    info["pins_median"] = data["failed_pins_24h"].median()
    data["failed_pins_24h"] = data["failed_pins_24h"].fillna(info["pins_median"])
    info["limit_median"] = data["credit_limit_eur"].median()
    data["credit_limit_eur"] = data["credit_limit_eur"].fillna(info["limit_median"])

    info["mean"] = data[TARGET].mean()
    g = data.groupby("merchant_id")[TARGET]
    info["merchant_rate"] = (g.sum() + 20 * info["mean"]) / (g.count() + 20)
    data["merchant_rate"] = data["merchant_id"].map(info["merchant_rate"]).fillna(info["mean"])
    g = data.groupby("merchant_category")[TARGET]
    info["category_rate"] = (g.sum() + 20 * info["mean"]) / (g.count() + 20)
    data["category_rate"] = data["merchant_category"].map(info["category_rate"]).fillna(info["mean"])
    g = data.groupby("channel")[TARGET]
    info["channel_rate"] = (g.sum() + 20 * info["mean"]) / (g.count() + 20)
    data["channel_rate"] = data["channel"].map(info["channel_rate"]).fillna(info["mean"])
    g = data.groupby("country")[TARGET]
    info["country_rate"] = (g.sum() + 20 * info["mean"]) / (g.count() + 20)
    data["country_rate"] = data["country"].map(info["country_rate"]).fillna(info["mean"])

    X = data[["amount_eur", "minutes_since_last", "distance_km", "device_age_days", "card_age_days",
              "failed_pins_24h", "credit_limit_eur", "hour", "weekday", "merchant_rate",
              "category_rate", "channel_rate", "country_rate"]].values
    return X, info


def prepare_test(test, info):
    data = test.copy()
    data["hour"] = data["paid_at"].dt.hour
    data["weekday"] = data["paid_at"].dt.day_of_week

    data["amount_eur"] = data["amount_eur"].fillna(info["amount_median"])
    data["minutes_since_last"] = data["minutes_since_last"].fillna(info["minutes_median"])
    data["distance_km"] = data["distance_km"].fillna(info["distance_median"])
    data["device_age_days"] = data["device_age_days"].fillna(info["device_median"])
    data["card_age_days"] = data["card_age_days"].fillna(info["card_median"])
    data["failed_pins_24h"] = data["failed_pins_24h"].fillna(info["pins_median"])
    data["credit_limit_eur"] = data["credit_limit_eur"].fillna(info["limit_median"])

    data["merchant_rate"] = data["merchant_id"].map(info["merchant_rate"]).fillna(info["mean"])
    data["category_rate"] = data["merchant_category"].map(info["category_rate"]).fillna(info["mean"])
    data["channel_rate"] = data["channel"].map(info["channel_rate"]).fillna(info["mean"])
    data["country_rate"] = data["country"].map(info["country_rate"]).fillna(info["mean"])

    X = data[["amount_eur", "minutes_since_last", "distance_km", "device_age_days", "card_age_days",
              "failed_pins_24h", "credit_limit_eur", "hour", "weekday", "merchant_rate",
              "category_rate", "channel_rate", "country_rate"]].values
    return X


def run(df, folds):
    results = []
    scores = []
    for fold in folds:
        train = df.loc[fold[0]]
        test = df.loc[fold[1]]
        X_train, info = prepare_train(train)
        y_train = train[TARGET].values
        X_test = prepare_test(test, info)
        y_test = test[TARGET].values
        clf = RandomForestClassifier(n_estimators=150, max_depth=10, random_state=7)
        clf.fit(X_train, y_train)
        p = clf.predict_proba(X_test)[:, 1]
        score = average_precision_score(y_test, p)
        scores.append(score)
        info["clf"] = clf
        results.append({"train_ids": fold[0], "test_ids": fold[1], "model": info,
                        "test_score": float(score)})
    return {"folds": results, "metric": "average_precision", "value": float(np.mean(scores))}


def predict(model, raw_df):
    X = prepare_test(raw_df, model)
    return model["clf"].predict_proba(X)[:, 1]


def main():
    df = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    result = run(df, split(df))
    print(result["metric"], round(result["value"], 3))


if __name__ == "__main__":
    main()
