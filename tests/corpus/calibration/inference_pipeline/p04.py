"""
Ticket Router Inference Pipeline
================================

This module implements a production-ready inference pipeline for the ticket router model.
It handles loading, preprocessing, feature extraction and prediction.
"""

from __future__ import annotations

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

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """Represents a prediction result."""

    label: str  # The predicted label
    confidence: float  # The confidence of the prediction
    probabilities: Dict[str, float]  # The probabilities of all labels
    fallback: bool  # Whether to fall back to a human
    model_version: str  # The version of the model


class TextPreprocessor:
    """Handles all text preprocessing steps."""

    def __init__(self) -> None:
        """Initialize the preprocessor with compiled patterns."""
        # Compile the regular expressions for efficiency
        self.tag_pattern = re.compile(r"<[^<>]*>")
        self.url_pattern = re.compile(r"(?<!\S)(?:https?://|www\.)\S+")
        self.mail_pattern = re.compile(r"(?<!\S)\S+@\S+")
        self.number_pattern = re.compile(r"\d+")
        self.token_pattern = re.compile(r"\w\w+")

    def preprocess(self, text: str) -> str:
        """
        Preprocess the text.
        """
        # Step 1: Replace tags with a space
        text = self.tag_pattern.sub(" ", text)
        # Step 2: Decode character references
        text = html.unescape(text)
        # Step 3: Normalize to NFKC
        text = unicodedata.normalize("NFKC", text)
        # Step 4: Handle control and format characters
        text = self._handle_control_characters(text)
        # Step 5: Fold the case
        text = text.casefold()
        # Step 6: Mask URLs
        text = self.url_pattern.sub(" urlmask ", text)
        # Step 7: Mask mail addresses
        text = self.mail_pattern.sub(" mailmask ", text)
        # Step 8: Mask numbers
        text = self.number_pattern.sub(" nummask ", text)
        return text

    def _handle_control_characters(self, text: str) -> str:
        """
        Handle control and format characters.
        """
        # Initialize the result list
        result: List[str] = []
        # Iterate over all characters
        for char in text:
            # Get the category of the character
            category = unicodedata.category(char)
            # Replace control characters with a space
            if category == "Cc":
                result.append(" ")
            # Remove format characters
            elif category == "Cf":
                continue
            # Keep all other characters
            else:
                result.append(char)
        # Join the characters
        return "".join(result)

    def tokenize(self, text: str, max_tokens: int) -> List[str]:
        """Tokenize the text."""
        # Find all tokens and truncate to the maximum
        return self.token_pattern.findall(text)[:max_tokens]


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, card: Dict[str, Any], vocabulary: List[str], weights: Dict[str, np.ndarray]) -> None:
        """Initialize the pipeline."""
        # Store the model card
        self.card = card
        # Create the term to index mapping
        self.term_to_index = {term: index for index, term in enumerate(vocabulary)}
        # Store the weights
        self.weights = weights
        # Create the preprocessor
        self.preprocessor = TextPreprocessor()

    def predict(self, text: str) -> Prediction:
        """
        Predict the label of one ticket.

        Args:
            text (str): The text of the ticket.

        Returns:
            Prediction: The prediction.
        """
        # Validate the input
        if not isinstance(text, str):
            raise TypeError(f"Expected str, got {type(text).__name__}")
        try:
            # Preprocess and tokenize the text
            tokens = self.preprocessor.tokenize(self.preprocessor.preprocess(text), self.card["max_tokens"])
            # Create the bigrams
            bigrams = [f"{tokens[i]} {tokens[i + 1]}" for i in range(len(tokens) - 1)]
            # Count the terms
            counts: Dict[int, int] = {}
            for term in tokens + bigrams:
                # Only count known terms
                if term in self.term_to_index:
                    index = self.term_to_index[term]
                    counts[index] = counts.get(index, 0) + 1
            # Create the vector
            vector = np.zeros(len(self.term_to_index))
            for index, count in counts.items():
                vector[index] = (1 + math.log(count)) * self.weights["idf"][index]
            # Normalize the vector, avoiding division by zero
            norm = np.linalg.norm(vector)
            if norm > 0:
                vector = vector / norm
            # Calculate the scores
            scores = self.weights["coefficients"] @ vector + self.weights["intercept"]
            # Apply the temperature
            scaled = scores / self.card["temperature"]
            # Apply a numerically stable softmax
            exp = np.exp(scaled - np.max(scaled))
            probabilities = exp / np.sum(exp)
            # Find the best label
            best = int(np.argmax(probabilities))
            # Get the confidence
            confidence = float(probabilities[best])
            # Return the prediction
            return Prediction(
                label=self.card["labels"][best],
                confidence=confidence,
                probabilities={label: float(p) for label, p in zip(self.card["labels"], probabilities)},
                fallback=bool(confidence < self.card["min_confidence"]),
                model_version=self.card["version"],
            )
        except Exception as e:
            # Re-raise as a RuntimeError
            raise RuntimeError("Prediction failed") from e

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """
        Predict the labels of many tickets.
        """
        # Validate the texts
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts must be an iterable of str")
        # Validate the batch size
        if not isinstance(batch_size, int):
            raise TypeError("batch_size must be an int")
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        # Iterate over the texts
        for position, text in enumerate(texts):
            # Validate the element
            if not isinstance(text, str):
                raise TypeError(f"Element {position} is not a str")
            # Yield the prediction
            yield self.predict(text)


def load_pipeline(model_dir) -> Pipeline:
    """Load the pipeline from a model folder."""
    # Convert to a Path
    folder = Path(model_dir)
    try:
        # Load the card
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        # Check the format version
        if card["format_version"] != 1:
            raise ValueError("Unsupported format version")
        # Read the files and verify the checksums
        contents = {}
        for name in ["vocabulary.txt", "weights.npz"]:
            contents[name] = (folder / name).read_bytes()
            if hashlib.sha256(contents[name]).hexdigest() != card["sha256"][name]:
                raise ValueError(f"Checksum mismatch for {name}")
        # Load the vocabulary
        vocabulary = contents["vocabulary.txt"].decode("utf-8").strip("\n").split("\n")
        # Load the weights without pickle
        with np.load(io.BytesIO(contents["weights.npz"]), allow_pickle=False) as data:
            weights = {key: data[key] for key in ["idf", "coefficients", "intercept"]}
        # Check that the weights fit
        if weights["coefficients"].shape != (len(card["labels"]), len(vocabulary)):
            raise ValueError("Weights do not fit")
        # Return the pipeline
        return Pipeline(card, vocabulary, weights)
    except FileNotFoundError:
        # Re-raise if a file is missing
        raise
    except Exception as e:
        # Convert all other errors to a ValueError
        raise ValueError(f"Could not load the model: {e}") from e
