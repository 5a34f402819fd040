"""Serve the ticket router."""

from __future__ import annotations

import hashlib
import html
import io
import json
import math
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count, islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

MASKS = {
    re.compile(r"(?<!\S)(?:https?://|www\.)\S+"): " urlmask ",
    re.compile(r"(?<!\S)\S+@\S+"): " mailmask ",
    re.compile(r"\d+"): " nummask ",
}
ENTRIES = {"format_version", "name", "version", "labels", "temperature", "min_confidence",
           "max_tokens", "sha256"}


class Prediction(NamedTuple):
    """The answer for one ticket."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


def clean(text: str) -> str:
    """Steps 1 to 8 of the card."""
    text = html.unescape(re.sub(r"<[^<>]*>", " ", text))
    text = unicodedata.normalize("NFKC", text)
    kinds = {c: unicodedata.category(c) for c in set(text)}
    text = text.translate({ord(c): {"Cc": " ", "Cf": ""}.get(k, c) for c, k in kinds.items()})
    text = text.casefold()
    for pattern, mask in MASKS.items():
        text = pattern.sub(mask, text)
    return text


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, card: dict, vocabulary: list[str], weights: dict[str, np.ndarray]) -> None:
        self._card = card
        self._columns = {term: i for i, term in enumerate(vocabulary)}
        self._idf, self._bias = weights["idf"], weights["intercept"]
        self._coefficients = np.ascontiguousarray(weights["coefficients"].T)

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError(f"expected str, got {type(text).__name__}")
        scores = self._score(text) / self._card["temperature"]
        odds = np.exp(scores - scores.max())
        probabilities = dict(zip(self._card["labels"], (odds / odds.sum()).tolist()))
        label, confidence = max(probabilities.items(), key=lambda item: item[1])
        fallback = confidence < self._card["min_confidence"]
        return Prediction(label, confidence, probabilities, fallback, self._card["version"])

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, one at a time: a ticket's terms are too few to gain from batching."""
        if isinstance(texts, str | bytes):
            raise TypeError("texts must be an iterable of str")
        if type(batch_size) is not int:
            raise TypeError("batch_size must be an int")
        if batch_size < 1:
            raise ValueError("batch_size must be positive")
        return map(self._predict_at, count(), iter(texts))

    def _predict_at(self, position: int, text: str) -> Prediction:
        if not isinstance(text, str):
            raise TypeError(f"text {position} is a {type(text).__name__}, not a str")
        return self.predict(text)

    def _score(self, text: str) -> np.ndarray:
        matches = re.finditer(r"\w\w+", clean(text))
        tokens = [m[0] for m in islice(matches, self._card["max_tokens"])]
        terms = Counter(tokens) + Counter(f"{a} {b}" for a, b in pairwise(tokens))
        known = {self._columns[t]: 1 + math.log(n) for t, n in terms.items() if t in self._columns}
        if not known:
            return self._bias
        columns = list(known)
        vector = np.array(list(known.values())) * self._idf[columns]
        return vector / np.linalg.norm(vector) @ self._coefficients[columns] + self._bias


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file is damaged, was changed, or has a version that this code cannot read.
    """
    folder = Path(model_dir)
    card = json.loads((folder / "card.json").read_bytes())
    if not isinstance(card, dict) or not ENTRIES <= card.keys() or card["format_version"] != 1:
        raise ValueError("card.json: incomplete or of another format")
    files = {name: (folder / name).read_bytes() for name in ("vocabulary.txt", "weights.npz")}
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != card["sha256"].get(name):
            raise ValueError(f"{name}: wrong checksum")

    vocabulary = files["vocabulary.txt"].decode().rstrip("\n").split("\n")
    try:
        weights = dict(np.load(io.BytesIO(files["weights.npz"]), allow_pickle=False))
        shapes = [weights[name].shape for name in ("idf", "coefficients", "intercept")]
    except Exception as error:  # NumPy and zipfile raise many kinds
        raise ValueError("weights.npz: unreadable") from error
    t, k = len(vocabulary), len(card["labels"])
    if shapes != [(t,), (k, t), (k,)]:
        raise ValueError("weights.npz: does not fit vocabulary and labels")
    return Pipeline(card, vocabulary, weights)
