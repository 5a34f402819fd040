"""Serve the ticket router."""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """The answer for one ticket."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


def tokenize(text: str) -> list[str]:
    """Preprocess as in training."""
    text = html.unescape(re.sub(r"<[^<>]*>", " ", text))
    text = unicodedata.normalize("NFKC", text)
    text = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf").casefold()
    text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text)
    text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
    text = re.sub(r"\d+", " nummask ", text)
    return re.findall(r"\w\w+", text)


class Pipeline:
    """A loaded model."""

    def __init__(self, card: dict, terms: list[str], weights: dict[str, np.ndarray]) -> None:
        self.card = card
        self.columns = {term: column for column, term in enumerate(terms)}
        self.weights = weights

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        tokens = tokenize(text)[: self.card["max_tokens"]]
        terms = tokens + [f"{a} {b}" for a, b in zip(tokens, tokens[1:])]
        counts = Counter(term for term in terms if term in self.columns)
        vector = np.zeros(len(self.columns))
        for term, count in counts.items():
            vector[self.columns[term]] = 1 + np.log(count)
        vector *= self.weights["idf"]
        vector /= np.linalg.norm(vector) or 1.0
        scores = self.weights["coefficients"] @ vector + self.weights["intercept"]
        powers = np.exp(scores / self.card["temperature"])
        probabilities = powers / powers.sum()
        best = probabilities.argmax()
        return Prediction(
            label=self.card["labels"][best],
            confidence=probabilities[best],
            probabilities=dict(zip(self.card["labels"], probabilities)),
            fallback=probabilities[best] < self.card["min_confidence"],
            model_version=self.card["version"],
        )

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> list[Prediction]:
        """Sort many tickets."""
        return [self.predict(text) for text in texts]


def load_pipeline(model_dir: str | Path) -> Pipeline:
    """Load a model folder and check its files."""
    folder = Path(model_dir)
    card = json.loads((folder / "card.json").read_text())
    for name, checksum in card["sha256"].items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != checksum:
            raise ValueError(f"{name} is damaged")
    terms = (folder / "vocabulary.txt").read_text("utf-8").splitlines()
    return Pipeline(card, terms, dict(np.load(folder / "weights.npz")))
