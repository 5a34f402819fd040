"""Honest fraud scores."""

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score

TARGET = "is_fraud"
NUMERIC = ["amount_eur", "minutes_since_last", "distance_km", "device_age_days", "card_age_days",
           "failed_pins_24h", "credit_limit_eur"]
CATEGORICAL = ["merchant_id", "merchant_category", "channel", "country"]


# --- split ---


def cutoff_of(df: pd.DataFrame, share: float) -> pd.Timestamp:
    return df["paid_at"].quantile(share)


def before(df: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    return df[df["paid_at"] < moment]


def since(df: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    return df[df["paid_at"] >= moment]


def without_cards(df: pd.DataFrame, cards: pd.Series) -> pd.DataFrame:
    return df[~df["card_id"].isin(cards)]


def ids(df: pd.DataFrame) -> list:
    return df.index.tolist()


def make_fold(df: pd.DataFrame, share: float) -> tuple[list, list]:
    moment = cutoff_of(df, share)
    train = before(df, moment)
    test = without_cards(since(df, moment), train["card_id"])
    return ids(train), ids(test)


def split(df: pd.DataFrame) -> list[tuple[list, list]]:
    """Later payments of new cards are the test, at two moments."""
    return [make_fold(df, share) for share in (0.5, 0.65)]


# --- features ---


def inputs(df: pd.DataFrame) -> pd.DataFrame:
    return df.drop(columns=TARGET)


def labels(df: pd.DataFrame) -> pd.Series:
    return df[TARGET]


def shrink(frauds: pd.Series, counts: pd.Series, base: float, weight: float = 20) -> pd.Series:
    return (frauds + weight * base) / (counts + weight)


def rate_table(column: pd.Series, y: pd.Series) -> pd.Series:
    groups = y.groupby(column)
    return shrink(groups.sum(), groups.count(), y.mean())


def rate_tables(df: pd.DataFrame) -> dict[str, pd.Series]:
    return {name: rate_table(df[name], labels(df)) for name in CATEGORICAL}


def numbers(df: pd.DataFrame) -> pd.DataFrame:
    return df[NUMERIC].astype(float)


def clock(df: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"hour": df["paid_at"].dt.hour, "weekday": df["paid_at"].dt.day_of_week})


def lookup(column: pd.Series, table: pd.Series) -> pd.Series:
    return column.map(table).astype(float)


def rates(df: pd.DataFrame, tables: dict[str, pd.Series]) -> pd.DataFrame:
    return pd.DataFrame({f"{name}_rate": lookup(df[name], table) for name, table in tables.items()})


def features(df: pd.DataFrame, tables: dict[str, pd.Series]) -> pd.DataFrame:
    return pd.concat([numbers(df), clock(df), rates(df, tables)], axis=1)


# --- model ---


def new_classifier() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=120, learning_rate=0.06, random_state=7)


def train_model(train: pd.DataFrame) -> dict:
    tables = rate_tables(train)
    classifier = new_classifier().fit(features(train, tables), labels(train))
    return {"tables": tables, "classifier": classifier}


def evaluate(model: dict, test: pd.DataFrame) -> float:
    return float(average_precision_score(labels(test), predict(model, inputs(test))))


def run_fold(df: pd.DataFrame, train_ids: list, test_ids: list) -> dict:
    model = train_model(df.loc[train_ids])
    return {
        "train_ids": train_ids,
        "test_ids": test_ids,
        "model": model,
        "test_score": evaluate(model, df.loc[test_ids]),
    }


def mean_score(results: list[dict]) -> float:
    return float(np.mean([result["test_score"] for result in results]))


def run(df: pd.DataFrame, folds: list[tuple[list, list]]) -> dict:
    """One model per fold."""
    results = [run_fold(df, train_ids, test_ids) for train_ids, test_ids in folds]
    return {"folds": results, "metric": "average_precision", "value": mean_score(results)}


def predict(model: dict, raw_df: pd.DataFrame) -> np.ndarray:
    """Probability of fraud."""
    return model["classifier"].predict_proba(features(raw_df, model["tables"]))[:, 1]


# --- script ---


def load() -> pd.DataFrame:
    return pd.read_csv("data/payments.csv", index_col="payment_id", parse_dates=["paid_at"])


def show(result: dict) -> None:
    print(result["metric"], round(result["value"], 3))


def main() -> None:
    df = load()
    show(run(df, split(df)))


if __name__ == "__main__":
    main()
