"""Ticket router on top of scikit-learn's TF-IDF."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import unicodedata
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

REQUIRED = (
    "format_version", "name", "version", "labels", "temperature", "min_confidence", "max_tokens",
    "sha256",
)


@dataclass(frozen=True)
class Prediction:
    """Label, calibrated confidence and what else is known of one ticket."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


class Analyzer:
    """Turns a ticket into words and pairs of words, as in training."""

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens

    def __call__(self, text: str) -> list[str]:
        """Words and pairs of one ticket."""
        text = re.sub(r"<[^<>]*>", " ", text)
        text = unicodedata.normalize("NFKC", html.unescape(text))
        if not text.isprintable():
            text = text.translate({ord(char): _replacement(char) for char in set(text)})
        text = text.casefold()
        text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text)
        text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
        text = re.sub(r"\d+", " nummask ", text)
        words = re.findall(r"\w\w+", text)[: self.max_tokens]
        return words + [f"{left} {right}" for left, right in zip(words, words[1:], strict=False)]


def _replacement(char: str) -> str:
    return {"Cc": " ", "Cf": ""}.get(unicodedata.category(char), char)


class Pipeline:
    """Vectoriser, weights and card of one model."""

    def __init__(self, card: dict[str, Any], terms: list[str], arrays: dict[str, np.ndarray]) -> None:
        self._card = card
        self._coefficients = arrays["coefficients"]
        self._intercept = arrays["intercept"]
        self._vectorizer = TfidfVectorizer(
            analyzer=Analyzer(card["max_tokens"]),
            vocabulary={term: place for place, term in enumerate(terms)},
            sublinear_tf=True,
        )
        self._vectorizer.idf_ = arrays["idf"]

    def predict(self, text: str) -> Prediction:
        """Sort one ticket; TypeError for anything but a str."""
        if not isinstance(text, str):
            raise TypeError(f"expected a str, got {type(text).__name__}")
        return self._predict([text])[0]

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort tickets lazily, one batch at a time.

        Raises:
            TypeError: a single text, no iterable, an element that is no str, or an odd batch_size.
            ValueError: batch_size below 1.
        """
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts is a single text")
        if type(batch_size) is not int:
            raise TypeError("batch_size must be an int")
        if batch_size < 1:
            raise ValueError("batch_size must be positive")
        source, start = iter(texts), 0
        while batch := list(islice(source, batch_size)):
            for place, text in enumerate(batch, start):
                if not isinstance(text, str):
                    raise TypeError(f"text {place} is {type(text).__name__}, not str")
            yield from self._predict(batch)
            start += len(batch)

    def _predict(self, texts: list[str]) -> list[Prediction]:
        scores = self._vectorizer.transform(texts) @ self._coefficients.T + self._intercept
        table = softmax(scores / self._card["temperature"], axis=1)
        return [self._prediction(row) for row in table]

    def _prediction(self, row: np.ndarray) -> Prediction:
        labels = self._card["labels"]
        confidence = float(row.max())
        return Prediction(
            labels[int(row.argmax())],
            confidence,
            dict(zip(labels, row.tolist(), strict=True)),
            confidence < self._card["min_confidence"],
            self._card["version"],
        )


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Load and check a model.

    Raises:
        FileNotFoundError: something is missing.
        ValueError: something is damaged or of another version.
    """
    folder = Path(model_dir)
    card, vocabulary, weights = (
        (folder / name).read_bytes() for name in ("card.json", "vocabulary.txt", "weights.npz")
    )
    entries = json.loads(card)
    if not isinstance(entries, dict) or any(name not in entries for name in REQUIRED):
        raise ValueError("card.json is incomplete")
    if entries["format_version"] != 1:
        raise ValueError("card.json: unknown format_version")
    for name, data in (("vocabulary.txt", vocabulary), ("weights.npz", weights)):
        if entries["sha256"].get(name) != hashlib.sha256(data).hexdigest():
            raise ValueError(f"{name}: the checksum is not that of the card")
    terms = vocabulary.decode("utf-8").split("\n")[:-1]
    return Pipeline(entries, terms, _arrays(weights, len(entries["labels"]), len(terms)))


def _arrays(data: bytes, labels: int, terms: int) -> dict[str, np.ndarray]:
    shapes = {"idf": (terms,), "coefficients": (labels, terms), "intercept": (labels,)}
    try:
        archive = np.load(io.BytesIO(data), allow_pickle=False)
        arrays = {name: archive[name] for name in shapes}
    except Exception as error:
        raise ValueError("weights.npz cannot be read") from error
    if any(arrays[name].shape != shape for name, shape in shapes.items()):
        raise ValueError("weights.npz does not fit the vocabulary and the labels")
    return arrays
