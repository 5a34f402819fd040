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
CATEGORICAL = ["merchant_id", "merchant_category", "channel", "country"]
SMOOTHING = 25


def split(df):
    cutoff = df["paid_at"].quantile(0.6)
    train = df[df["paid_at"] < cutoff]
    later = df[df["paid_at"] >= cutoff]
    test = later[~later["card_id"].isin(train["card_id"])]
    return [(train.index.tolist(), test.index.tolist())]


class FraudModel:
    def __init__(self, seed=7):
        self.classifier = HistGradientBoostingClassifier(
            max_iter=120, learning_rate=0.06, min_samples_leaf=30, random_state=seed
        )

    def fit(self, df, labels):
        self.base_rate = labels.mean()
        self.rates = {col: self._smoothed_rate(df[col], labels) for col in CATEGORICAL}
        self.classifier.fit(self._features(df), labels)
        return self

    def score(self, df):
        return self.classifier.predict_proba(self._features(df))[:, 1]

    def _smoothed_rate(self, values, labels):
        stats = labels.groupby(values).agg(["sum", "count"])
        return (stats["sum"] + SMOOTHING * self.base_rate) / (stats["count"] + SMOOTHING)

    def _features(self, df):
        features = df[NUMERIC].astype(float)
        features["hour"] = df["paid_at"].dt.hour
        features["weekday"] = df["paid_at"].dt.day_of_week
        for col in CATEGORICAL:
            features[f"{col}_rate"] = df[col].map(self.rates[col]).astype(float).fillna(self.base_rate)
        return features


def run(df, folds):
    results = []
    for train_ids, test_ids in folds:
        train, test = df.loc[train_ids], df.loc[test_ids]
        model = FraudModel().fit(train.drop(columns=TARGET), train[TARGET])
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
    return model.score(raw_df)


if __name__ == "__main__":
    payments = pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])
    result = run(payments, split(payments))
    print(result["metric"], round(result["value"], 3))
