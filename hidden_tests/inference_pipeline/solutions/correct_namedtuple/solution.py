"""The ticket router: named tuples for data, a generator for batches."""

from __future__ import annotations

import hashlib
import html
import io
import json
import os
import re
import unicodedata
from collections import Counter, deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CARD_KEYS = {
    "format_version", "name", "version", "labels",
    "temperature", "min_confidence", "max_tokens", "sha256",
}


class Prediction(NamedTuple):
    """The answer for one ticket."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


class Weights(NamedTuple):
    """Arrays of a model with k labels and t terms."""

    idf: np.ndarray
    coefficients: np.ndarray
    intercept: np.ndarray

    @classmethod
    def parse(cls, data: bytes, labels: int, terms: int) -> Weights:
        """Read the arrays from the bytes of an npz file.

        Raises:
            ValueError: they are not there, or have other shapes.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as npz:
                weights = cls(*(npz[name] for name in cls._fields))
        except Exception as error:
            raise ValueError("weights.npz: cannot be read") from error
        if weights.idf.shape != (terms,) or weights.intercept.shape != (labels,):
            raise ValueError("weights.npz: a vector has another length")
        if weights.coefficients.shape != (labels, terms):
            raise ValueError("weights.npz: the coefficients have another shape")
        return weights


def preprocess(text: str) -> Iterator[str]:
    """Yield tokens."""
    text = html.unescape(re.sub(r"<[^<>]*>", " ", text))
    text = unicodedata.normalize("NFKC", text)
    text = "".join(
        " " if unicodedata.category(char) == "Cc" else char
        for char in text
        if unicodedata.category(char) != "Cf"
    )
    text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text.casefold())
    text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
    for match in re.finditer(r"\w\w+", re.sub(r"\d+", " nummask ", text)):
        yield match.group()


class Pipeline:
    """A model that can be asked."""

    def __init__(self, card: dict[str, Any], terms: list[str], weights: Weights) -> None:
        self.card = card
        self.index = {term: place for place, term in enumerate(terms)}
        self.weights = weights

    def _terms(self, text: str) -> Iterator[str]:
        last = None
        for number, token in enumerate(preprocess(text)):
            if number == self.card["max_tokens"]:
                return
            yield token
            if last is not None:
                yield f"{last} {token}"
            last = token

    def predict(self, text: str) -> Prediction:
        """Sort one ticket; TypeError if it is no str."""
        if not isinstance(text, str):
            raise TypeError(f"tickets are str, this is {type(text).__name__}")
        counts = Counter(self.index[term] for term in self._terms(text) if term in self.index)
        scores = self.weights.intercept
        if counts:
            places = np.array(list(counts))
            values = self.weights.idf[places] * (1 + np.log(list(counts.values())))
            scores = scores + self.weights.coefficients[:, places] @ (values / np.hypot.reduce(values))
        return self._prediction(scores / self.card["temperature"])

    def _prediction(self, scaled: np.ndarray) -> Prediction:
        probabilities = np.exp(scaled - np.logaddexp.reduce(scaled))
        by_label = dict(zip(self.card["labels"], probabilities.tolist(), strict=True))
        label = max(by_label, key=by_label.__getitem__)
        return Prediction(
            label,
            by_label[label],
            by_label,
            by_label[label] < self.card["min_confidence"],
            self.card["version"],
        )

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort tickets; a batch is read, answered and given out before the next one is read."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("give an iterable of tickets")
        if isinstance(batch_size, bool) or not isinstance(batch_size, int):
            raise TypeError("batch_size: int expected")
        if batch_size < 1:
            raise ValueError("batch_size: must be at least 1")
        waiting: deque[Prediction] = deque()
        for place, text in enumerate(texts):
            try:
                waiting.append(self.predict(text))
            except TypeError as error:
                raise TypeError(f"element {place}: {error}") from error
            if len(waiting) == batch_size:
                while waiting:
                    yield waiting.popleft()
        yield from waiting


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Open a model folder.

    Raises:
        FileNotFoundError: incomplete folder.
        ValueError: damaged or unknown content.
    """
    root = Path(os.fspath(model_dir))
    card = json.loads((root / "card.json").read_bytes())
    if not isinstance(card, dict):
        raise ValueError("card.json: no object")
    if missing := CARD_KEYS - card.keys():
        raise ValueError(f"card.json: lacks {sorted(missing)}")
    if card["format_version"] != 1:
        raise ValueError("card.json: only format version 1 is known")
    data = {}
    for name in ("vocabulary.txt", "weights.npz"):
        data[name] = (root / name).read_bytes()
        if hashlib.sha256(data[name]).hexdigest() != card["sha256"].get(name):
            raise ValueError(f"{name}: checksum")
    terms = data["vocabulary.txt"].decode("utf-8").splitlines()
    return Pipeline(card, terms, Weights.parse(data["weights.npz"], len(card["labels"]), len(terms)))
