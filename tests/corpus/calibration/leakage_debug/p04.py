"""
Card Fraud Detection Model
==========================

This module provides a robust, leakage-free fraud detection pipeline.

Key improvements:
    - Time-based and card-based splitting
    - Features fitted on training data only
    - Proper metric for imbalanced data
"""

# Standard library imports
import logging
from typing import Any, Dict, List, Tuple

# Third-party imports
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score

# Configure logging
logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)

# Constants
TARGET = "is_fraud"  # Target column
NUMERIC = [  # Numeric feature columns
    "amount_eur",
    "minutes_since_last",
    "distance_km",
    "device_age_days",
    "card_age_days",
    "failed_pins_24h",
    "credit_limit_eur",
]
CATEGORICAL = ["merchant_id", "merchant_category", "channel", "country"]  # Categorical columns


def split(df: pd.DataFrame) -> List[Tuple[List[Any], List[Any]]]:
    """
    Split the data into training and test sets.

    Args:
        df (pd.DataFrame): The input DataFrame.

    Returns:
        List[Tuple[List[Any], List[Any]]]: A list of (train_ids, test_ids) tuples.
    """
    # Compute the cutoff timestamp
    cutoff = df["paid_at"].quantile(0.6)

    # Get the training data (before the cutoff)
    train_df = df[df["paid_at"] < cutoff]

    # Get the test data (after the cutoff)
    test_df = df[df["paid_at"] >= cutoff]

    # Get the set of cards in the training data
    train_cards = set(train_df["card_id"])

    # Keep only the test rows with new cards
    test_df = test_df[~test_df["card_id"].isin(train_cards)]

    # Return the fold
    return [(train_df.index.tolist(), test_df.index.tolist())]


def add_time_features(df: pd.DataFrame) -> pd.DataFrame:
    """
    Add time-based features to the DataFrame.

    Args:
        df (pd.DataFrame): The input DataFrame.

    Returns:
        pd.DataFrame: The DataFrame with time features.
    """
    # Create a copy to avoid modifying the original
    df = df.copy()
    try:
        # Extract the hour
        df["hour"] = df["paid_at"].dt.hour
        # Extract the weekday
        df["weekday"] = df["paid_at"].dt.day_of_week
    except Exception as e:
        # Log the error and use default values
        logger.error(f"Error adding time features: {e}")
        df["hour"] = 0
        df["weekday"] = 0
    # Return the result
    return df


def fit_preprocessor(train_df: pd.DataFrame) -> Dict[str, Any]:
    """
    Fit the preprocessor on the training data.

    Args:
        train_df (pd.DataFrame): The training DataFrame.

    Returns:
        Dict[str, Any]: The fitted preprocessor.
    """
    # Add time features
    data = add_time_features(train_df)
    # Define the numeric columns
    numeric_cols = NUMERIC + ["hour", "weekday"]
    # Compute the medians
    medians = data[numeric_cols].median().fillna(0)
    # Compute the global fraud rate
    global_rate = data[TARGET].mean()
    # Initialize the rates dictionary
    rates = {}
    # Loop over the categorical columns
    for col in CATEGORICAL:
        # Group by the category
        grouped = data.groupby(col)[TARGET].agg(["sum", "count"])
        # Compute the smoothed rate
        rates[col] = (grouped["sum"] + 10 * global_rate) / (grouped["count"] + 10)
    # Return the preprocessor
    return {
        "medians": medians,
        "rates": rates,
        "global_rate": global_rate,
        "numeric_cols": numeric_cols,
    }


def transform(prep: Dict[str, Any], df: pd.DataFrame) -> np.ndarray:
    """
    Transform the DataFrame into a feature matrix.

    Args:
        prep (Dict[str, Any]): The fitted preprocessor.
        df (pd.DataFrame): The DataFrame to transform.

    Returns:
        np.ndarray: The feature matrix.
    """
    # Add time features
    data = add_time_features(df)
    # Fill missing numeric values
    features = data[prep["numeric_cols"]].astype(float).fillna(prep["medians"])
    # Encode the categorical columns
    for col in CATEGORICAL:
        # Map the rates and fill unknown categories with the global rate
        features[col + "_rate"] = (
            data[col].map(prep["rates"][col]).astype(float).fillna(prep["global_rate"])
        )
    # Return the feature matrix
    return features.to_numpy()


def run(df: pd.DataFrame, folds: List[Tuple[List[Any], List[Any]]]) -> Dict[str, Any]:
    """
    Run the experiment on the given folds.

    Args:
        df (pd.DataFrame): The input DataFrame.
        folds (List[Tuple[List[Any], List[Any]]]): The folds.

    Returns:
        Dict[str, Any]: The results.
    """
    # Initialize the results list
    results = []
    # Loop over the folds
    for i, (train_ids, test_ids) in enumerate(folds):
        # Log the progress
        logger.info(f"Processing fold {i + 1}/{len(folds)}")
        # Get the training data
        train_df = df.loc[train_ids]
        # Get the test data
        test_df = df.loc[test_ids]
        # Fit the preprocessor on the training data only
        prep = fit_preprocessor(train_df)
        # Create the classifier
        clf = RandomForestClassifier(
            n_estimators=200, min_samples_leaf=3, class_weight="balanced", random_state=42
        )
        # Fit the classifier
        clf.fit(transform(prep, train_df), train_df[TARGET])
        # Create the model dictionary
        model = {"prep": prep, "classifier": clf}
        # Make predictions on the test data
        scores = predict(model, test_df.drop(columns=[TARGET]))
        # Compute the test score
        test_score = float(average_precision_score(test_df[TARGET], scores))
        # Append the result
        results.append(
            {"train_ids": train_ids, "test_ids": test_ids, "model": model, "test_score": test_score}
        )
    # Compute the mean value
    value = float(np.mean([r["test_score"] for r in results]))
    # Return the results
    return {"folds": results, "metric": "average_precision", "value": value}


def predict(model: Dict[str, Any], raw_df: pd.DataFrame) -> np.ndarray:
    """
    Predict fraud scores.

    Args:
        model (Dict[str, Any]): The trained model.
        raw_df (pd.DataFrame): The raw DataFrame.

    Returns:
        np.ndarray: The fraud scores.
    """
    try:
        # Transform the data and return the probabilities
        return model["classifier"].predict_proba(transform(model["prep"], raw_df))[:, 1]
    except Exception as e:
        # Log the error and re-raise
        logger.error(f"Prediction failed: {e}")
        raise
