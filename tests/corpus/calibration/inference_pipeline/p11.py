"""Serve the ticket router."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import unicodedata
import zipfile
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

CARD_KEYS = [
    "format_version", "name", "version", "labels",
    "temperature", "min_confidence", "max_tokens", "sha256",
]


@dataclass(frozen=True)
class Prediction:
    """The answer for one ticket."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


def clean(text: str) -> str:
    """Steps 1 to 8 of the model card."""
    text = re.sub(r"<[^<>]*>", " ", text)
    text = html.unescape(text)
    text = unicodedata.normalize("NFKC", text)
    chars = []
    for char in text:
        category = unicodedata.category(char)
        if category == "Cc":
            chars.append(" ")
        elif category != "Cf":
            chars.append(char)
    text = "".join(chars).casefold()
    text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text)
    text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
    return re.sub(r"\d+", " nummask ", text)


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, card: dict[str, Any], vocabulary: list[str], weights: dict[str, np.ndarray]):
        self.card = card
        self.columns = {term: i for i, term in enumerate(vocabulary)}
        self.idf = weights["idf"]
        self.coefficients = weights["coefficients"]
        self.intercept = weights["intercept"]

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError("text must be a str")
        columns, values = self._vectorize(text)
        scores = self.coefficients[:, columns] @ values + self.intercept
        return self._to_prediction(scores)

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, lazily and in their order."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts must be an iterable of str, not a single string")
        if not isinstance(batch_size, int):
            raise TypeError("batch_size must be an int")
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        iterator = iter(texts)
        position = 0
        while batch := list(islice(iterator, batch_size)):
            for text in batch:
                if not isinstance(text, str):
                    raise TypeError(f"text at position {position} is not a str")
                yield self.predict(text)
                position += 1

    def _vectorize(self, text: str) -> tuple[list[int], np.ndarray]:
        """Columns of the known terms and their normalized weights."""
        tokens = re.findall(r"\w\w+", clean(text))[: self.card["max_tokens"]]
        terms = tokens + [f"{a} {b}" for a, b in zip(tokens, tokens[1:])]
        counts = Counter(self.columns[t] for t in terms if t in self.columns)
        columns = list(counts)
        values = (1 + np.log(np.array(list(counts.values()), dtype=float))) * self.idf[columns] if columns else np.zeros(0)
        norm = np.linalg.norm(values)
        if norm > 0:
            values = values / norm
        return columns, values

    def _to_prediction(self, scores: np.ndarray) -> Prediction:
        scaled = scores / self.card["temperature"]
        exp = np.exp(scaled - scaled.max())
        probabilities = exp / exp.sum()
        best = int(probabilities.argmax())
        confidence = float(probabilities[best])
        return Prediction(
            label=self.card["labels"][best],
            confidence=confidence,
            probabilities=dict(zip(self.card["labels"], probabilities.tolist())),
            fallback=confidence < self.card["min_confidence"],
            model_version=self.card["version"],
        )


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it."""
    model_dir = Path(model_dir)
    raw_card = (model_dir / "card.json").read_bytes()
    raw_vocabulary = (model_dir / "vocabulary.txt").read_bytes()
    raw_weights = (model_dir / "weights.npz").read_bytes()

    card = json.loads(raw_card)
    if not isinstance(card, dict):
        raise ValueError("card.json is not an object")
    for key in CARD_KEYS:
        if key not in card:
            raise ValueError(f"card.json lacks {key}")
    if card["format_version"] != 1:
        raise ValueError("unknown format_version")
    for name, raw in [("vocabulary.txt", raw_vocabulary), ("weights.npz", raw_weights)]:
        if hashlib.sha256(raw).hexdigest() != card["sha256"].get(name):
            raise ValueError(f"checksum of {name} does not match")

    vocabulary = raw_vocabulary.decode("utf-8").rstrip("\n").split("\n")
    try:
        with np.load(io.BytesIO(raw_weights), allow_pickle=False) as archive:
            weights = {name: archive[name] for name in ["idf", "coefficients", "intercept"]}
    except (KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError("weights.npz cannot be read") from error

    t, k = len(vocabulary), len(card["labels"])
    if weights["idf"].shape != (t,) or weights["coefficients"].shape != (k, t) or weights["intercept"].shape != (k,):
        raise ValueError("weights do not fit vocabulary and labels")
    return Pipeline(card, vocabulary, weights)
