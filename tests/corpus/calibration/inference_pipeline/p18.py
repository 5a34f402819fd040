"""Serve the ticket router. Step numbers are those of model/MODEL_CARD.md."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

ENTRIES = {"format_version", "name", "version", "labels", "temperature", "min_confidence", "max_tokens", "sha256"}
MASKS = [  # steps 6 to 8; the order matters
    (re.compile(r"(?<!\S)(?:https?://|www\.)\S+"), " urlmask "),
    (re.compile(r"(?<!\S)\S+@\S+"), " mailmask "),
    (re.compile(r"\d+"), " nummask "),
]
REPLACED = {"Cc": " ", "Cf": ""}


class Prediction(NamedTuple):
    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


def tokenize(text: str) -> list[str]:
    """Steps 1 to 9, without the limit."""
    text = unicodedata.normalize("NFKC", html.unescape(re.sub(r"<[^<>]*>", " ", text)))
    text = "".join(REPLACED.get(unicodedata.category(c), c) for c in text).casefold()
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return re.findall(r"\w\w+", text)


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, card: dict, vocabulary: list[str], weights: dict[str, np.ndarray]) -> None:
        self._card = card
        self._columns = {term: i for i, term in enumerate(vocabulary)}
        self._idf = weights["idf"]
        self._intercept = weights["intercept"]
        self._rows = np.ascontiguousarray(weights["coefficients"].T)  # one contiguous row a term

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError(f"expected str, got {type(text).__name__}")
        tokens = tokenize(text)[: self._card["max_tokens"]]
        terms = tokens + [f"{a} {b}" for a, b in zip(tokens, tokens[1:])]
        counts = Counter(self._columns[term] for term in terms if term in self._columns)

        columns = np.array(list(counts.keys()), dtype=int)
        vector = (1 + np.log(list(counts.values()))) * self._idf[columns]
        norm = np.linalg.norm(vector) or 1.0
        return self._answer(vector / norm @ self._rows[columns] + self._intercept)

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets in their order.

        Tickets are short and their vectors sparse, so that stacking them gains nothing:
        `batch_size` is checked, and one ticket is read at a time.
        """
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts must be an iterable of str, not a string")
        if not isinstance(batch_size, int):
            raise TypeError("batch_size must be an int")
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        return (self._predict_at(i, text) for i, text in enumerate(texts))

    def _predict_at(self, position: int, text: str) -> Prediction:
        if not isinstance(text, str):
            raise TypeError(f"element {position}: expected str, got {type(text).__name__}")
        return self.predict(text)

    def _answer(self, scores: np.ndarray) -> Prediction:
        logits = scores / self._card["temperature"]
        odds = np.exp(logits - logits.max())
        probabilities = dict(zip(self._card["labels"], (odds / odds.sum()).tolist()))
        label = max(probabilities, key=probabilities.__getitem__)
        confidence = probabilities[label]
        fallback = confidence < self._card["min_confidence"]
        return Prediction(label, confidence, probabilities, fallback, self._card["version"])


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file is damaged, was changed, or has a version that this code cannot read.
    """
    folder = Path(model_dir)
    card = json.loads((folder / "card.json").read_bytes())
    if not isinstance(card, dict) or not card.keys() >= ENTRIES or card["format_version"] != 1:
        raise ValueError("card.json is no complete card of format 1")

    vocabulary = _read_checked(folder / "vocabulary.txt", card).decode().removesuffix("\n").split("\n")
    content = io.BytesIO(_read_checked(folder / "weights.npz", card))
    t, k = len(vocabulary), len(card["labels"])
    shapes = {"idf": (t,), "coefficients": (k, t), "intercept": (k,)}
    try:
        with np.load(content, allow_pickle=False) as file:
            weights = {name: file[name] for name in shapes}
    except (KeyError, OSError, EOFError, zipfile.BadZipFile) as e:
        raise ValueError("weights.npz cannot be read") from e
    if any(weights[name].shape != shape for name, shape in shapes.items()):
        raise ValueError("weights do not fit vocabulary and labels")
    return Pipeline(card, vocabulary, weights)


def _read_checked(path: Path, card: dict) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card["sha256"].get(path.name):
        raise ValueError(f"{path.name} does not have the card's checksum")
    return content
