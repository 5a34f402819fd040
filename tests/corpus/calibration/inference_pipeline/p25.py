"""Ticket router: from a model folder to calibrated answers."""

from __future__ import annotations

import hashlib
import html
import io
import json
import math
import operator
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

_REQUIRED = {"format_version", "name", "version", "labels",
             "temperature", "min_confidence", "max_tokens", "sha256"}  # fmt: skip


class Prediction(NamedTuple):
    """The answer for one ticket; the fields are described in the README."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, card: dict, vocabulary: list[str], weights: dict[str, np.ndarray]) -> None:
        self._card = card
        self._column = {term: i for i, term in enumerate(vocabulary)}
        self._idf = weights["idf"]
        self._intercept = weights["intercept"]
        # Terms as rows: a ticket touches a few dozen of them, which then lie in one piece.
        self._term_rows = np.ascontiguousarray(weights["coefficients"].T)

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError(f"text must be str, got {type(text).__name__}")
        tokens = tokenize(text, self._card["max_tokens"])
        logits = self._score(tokens) / self._card["temperature"]
        odds = np.exp(logits - logits.max())
        return self._wrap(odds / odds.sum())

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, lazily and in their order.

        Raises:
            TypeError: `texts` is one string or no iterable, or `batch_size` is no int; later, an
                element is no `str`.
            ValueError: `batch_size` is below 1.
        """
        if isinstance(texts, str | bytes):
            raise TypeError("texts must be an iterable of str, not a single string")
        if operator.index(batch_size) < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        return self._stream(iter(texts), batch_size)

    def _stream(self, texts: Iterator[str], batch_size: int) -> Iterator[Prediction]:
        position = 0
        while batch := list(islice(texts, batch_size)):
            for text in batch:
                if not isinstance(text, str):
                    raise TypeError(f"texts[{position}] must be str, got {type(text).__name__}")
                position += 1
            answers = [self.predict(text) for text in batch]
            # Hold no ticket while the caller works on the answers.
            del batch, text
            yield from answers

    def _score(self, tokens: list[str]) -> np.ndarray:
        """Score the labels by the known words and pairs of neighbouring words."""
        counts = Counter(tokens)
        counts.update(map(" ".join, pairwise(tokens)))
        known = {i: n for term, n in counts.items() if (i := self._column.get(term)) is not None}
        if not known:
            return self._intercept
        columns = list(known)
        damped = np.array([1 + math.log(n) for n in known.values()])
        weights = damped * self._idf[columns]
        norm = np.linalg.norm(weights) or 1.0
        return (weights / norm) @ self._term_rows[columns] + self._intercept

    def _wrap(self, probabilities: np.ndarray) -> Prediction:
        labels = self._card["labels"]
        best = int(probabilities.argmax())
        confidence = float(probabilities[best])
        return Prediction(
            label=labels[best],
            confidence=confidence,
            probabilities=dict(zip(labels, probabilities.tolist(), strict=True)),
            fallback=confidence < self._card["min_confidence"],
            model_version=self._card["version"],
        )


def tokenize(text: str, limit: int) -> list[str]:
    """Prepare a text as in training: steps 1 to 9 of the model card, in its order."""
    text = re.sub(r"<[^<>]*>", " ", text)
    text = html.unescape(text)
    text = unicodedata.normalize("NFKC", text)
    text = "".join(map(_plain_character, text))
    text = text.casefold()
    text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text)
    text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
    text = re.sub(r"\d+", " nummask ", text)
    return [match.group() for match in islice(re.finditer(r"\w\w+", text), limit)]


def _plain_character(character: str) -> str:
    """Turn control characters into a space and format characters into nothing."""
    match unicodedata.category(character):
        case "Cc":
            return " "
        case "Cf":
            return ""
        case _:
            return character


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file is damaged, was changed, or has a version that this code cannot read.
    """
    folder = Path(model_dir)
    files = {name: (folder / name).read_bytes() for name in ("vocabulary.txt", "weights.npz")}
    card = json.loads((folder / "card.json").read_bytes())

    if not isinstance(card, dict) or not card.keys() >= _REQUIRED:
        raise ValueError("card.json is no object or lacks an entry")
    if card["format_version"] != 1:
        raise ValueError("card.json has an unknown format_version")
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != card["sha256"].get(name):
            raise ValueError(f"{name} does not have the checksum of the card")

    vocabulary = files["vocabulary.txt"].decode("utf-8").removesuffix("\n").split("\n")
    weights = _read_weights(files["weights.npz"], len(card["labels"]), len(vocabulary))
    return Pipeline(card, vocabulary, weights)


def _read_weights(content: bytes, n_labels: int, n_terms: int) -> dict[str, np.ndarray]:
    shapes = {"idf": (n_terms,), "coefficients": (n_labels, n_terms), "intercept": (n_labels,)}
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            weights = {name: archive[name] for name in shapes}
    except Exception as error:  # NumPy and zipfile raise many kinds for damaged files
        raise ValueError("weights.npz cannot be read") from error
    for name, shape in shapes.items():
        if weights[name].shape != shape:
            raise ValueError(f"{name} has shape {weights[name].shape} instead of {shape}")
    return weights
