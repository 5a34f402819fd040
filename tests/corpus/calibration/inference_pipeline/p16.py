"""
Ticket Router Inference Pipeline
================================

This module provides a production-ready inference pipeline for the ticket router model.
"""

from __future__ import annotations

# Standard library imports
import hashlib
import html
import io
import json
import math
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List

# Third-party imports
import numpy as np

# Constants
REQUIRED_KEYS = ["format_version", "name", "version", "labels",
                 "temperature", "min_confidence", "max_tokens", "sha256"]


@dataclass(frozen=True)
class Prediction:
    """
    Represents a prediction.
    """

    label: str
    confidence: float
    probabilities: Dict[str, float]
    fallback: bool
    model_version: str


class Pipeline:
    """A pipeline for predicting ticket categories."""

    def __init__(self, card: Dict[str, Any], vocabulary: List[str], weights: Dict[str, np.ndarray]) -> None:
        """Initialize the pipeline."""
        # Store the card
        self.card = card
        # Create the term-to-index mapping
        self.term_to_index = {term: index for index, term in enumerate(vocabulary)}
        # Store the weights
        self.weights = weights

    def preprocess(self, text: str) -> List[str]:
        """
        Preprocess the text.

        Returns:
            List[str]: The list of tokens.
        """
        # Step 1: Replace tags with a space
        text = re.sub(r"<[^<>]*>", " ", text)
        # Step 2: Decode character references
        text = html.unescape(text)
        # Step 3: Normalize to NFKC
        text = unicodedata.normalize("NFKC", text)
        # Step 4: Handle control and format characters
        cleaned = []
        for char in text:
            # Get the category of the character
            category = unicodedata.category(char)
            if category != "Cf":
                # Replace control characters with a space and keep all others
                cleaned.append(" " if category == "Cc" else char)
        text = "".join(cleaned)
        # Step 5: Casefold the text
        text = text.casefold()
        # Step 6: Mask URLs
        text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text)
        # Step 7: Mask mail addresses
        text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
        # Step 8: Mask numbers
        text = re.sub(r"\d+", " nummask ", text)
        # Step 9: Extract the tokens
        tokens = re.findall(r"\w\w+", text)
        # Return the first max_tokens tokens
        return tokens[: self.card["max_tokens"]]

    def vectorize(self, tokens: List[str]) -> np.ndarray:
        """
        Vectorize the tokens.

        Returns:
            np.ndarray: The vector.
        """
        # Combine tokens and bigrams
        terms = tokens + [f"{tokens[i]} {tokens[i + 1]}" for i in range(len(tokens) - 1)]
        # Count the terms
        counts: Dict[str, int] = {}
        for term in terms:
            # Check if the term is in the vocabulary
            if term in self.term_to_index:
                # Increment the count
                counts[term] = counts.get(term, 0) + 1
        # Initialize the vector with zeros
        vector = np.zeros(len(self.term_to_index))
        for term, count in counts.items():
            # Compute the weight of the term
            index = self.term_to_index[term]
            vector[index] = (1 + math.log(count)) * self.weights["idf"][index]
        # Compute the norm
        norm = np.linalg.norm(vector)
        # Avoid division by zero
        if norm > 0:
            vector = vector / norm
        # Return the vector
        return vector

    def predict(self, text: str) -> Prediction:
        """
        Predict the category of a text.

        Args:
            text (str): The text.

        Returns:
            Prediction: The prediction.
        """
        # Validate the input
        if not isinstance(text, str):
            raise TypeError("Text must be a string")
        try:
            # Preprocess the text
            tokens = self.preprocess(text)
            # Vectorize the tokens
            vector = self.vectorize(tokens)
            # Compute the scores
            scores = self.weights["coefficients"] @ vector + self.weights["intercept"]
            # Apply temperature scaling
            scaled = scores / self.card["temperature"]
            # Compute the softmax (numerically stable)
            exp_scores = np.exp(scaled - np.max(scaled))
            probabilities = exp_scores / np.sum(exp_scores)
            # Get the best index
            best_index = int(np.argmax(probabilities))
            # Get the confidence
            confidence = float(probabilities[best_index])
            # Return the prediction
            return Prediction(
                label=self.card["labels"][best_index],
                confidence=confidence,
                probabilities=dict(zip(self.card["labels"], probabilities.tolist())),
                fallback=confidence < self.card["min_confidence"],
                model_version=self.card["version"],
            )
        except Exception as e:
            # Re-raise the exception with a helpful message
            raise RuntimeError("Prediction failed") from e

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """
        Predict the categories of multiple texts.

        Args:
            texts (Iterable[str]): The texts.
            batch_size (int): The batch size. Defaults to 64.

        Yields:
            Iterator[Prediction]: The predictions.
        """
        # Validate the inputs
        if isinstance(texts, (str, bytes)):
            raise TypeError("Texts must be an iterable of strings")
        if not isinstance(batch_size, int):
            raise TypeError("Batch size must be an integer")
        if batch_size < 1:
            raise ValueError("Batch size must be at least 1")
        # Iterate over the texts
        for i, text in enumerate(texts):
            # Validate the text
            if not isinstance(text, str):
                raise TypeError(f"Text at position {i} must be a string")
            # Yield the prediction
            yield self.predict(text)


def load_pipeline(model_dir: str) -> Pipeline:
    """
    Load the pipeline from a directory.

    Args:
        model_dir (str): The model directory.

    Returns:
        Pipeline: The loaded pipeline.
    """
    # Convert to a Path object
    path = Path(model_dir)
    # Read the files
    card_bytes = (path / "card.json").read_bytes()
    vocabulary_bytes = (path / "vocabulary.txt").read_bytes()
    weights_bytes = (path / "weights.npz").read_bytes()
    # Parse the card
    card = json.loads(card_bytes)
    # Check the required keys
    for key in REQUIRED_KEYS:
        if key not in card:
            raise ValueError(f"Missing key: {key}")
    # Check the format version
    if card["format_version"] != 1:
        raise ValueError("Unsupported format version")
    # Verify the checksums
    if hashlib.sha256(vocabulary_bytes).hexdigest() != card["sha256"]["vocabulary.txt"]:
        raise ValueError("Vocabulary checksum mismatch")
    if hashlib.sha256(weights_bytes).hexdigest() != card["sha256"]["weights.npz"]:
        raise ValueError("Weights checksum mismatch")
    # Parse the vocabulary
    vocabulary = vocabulary_bytes.decode("utf-8").splitlines()
    try:
        # Load the weights without pickle
        data = np.load(io.BytesIO(weights_bytes), allow_pickle=False)
        # Extract the arrays
        weights = {name: data[name] for name in ["idf", "coefficients", "intercept"]}
    except Exception as e:
        # Raise a ValueError if the weights are invalid
        raise ValueError("Invalid weights") from e
    # Return the pipeline
    return Pipeline(card, vocabulary, weights)
