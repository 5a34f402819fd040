"""Serve the ticket router: load a model folder once, then sort tickets one by one or in batches.

Preprocessing and arithmetic follow `model/MODEL_CARD.md`; the step numbers below are the card's.
"""

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
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

FORMAT_VERSION = 1
CARD_ENTRIES = {
    "format_version",
    "name",
    "version",
    "labels",
    "temperature",
    "min_confidence",
    "max_tokens",
    "sha256",
}

TAG = re.compile(r"<[^<>]*>")
URL = re.compile(r"(?<!\S)(?:https?://|www\.)\S+")
MAIL = re.compile(r"(?<!\S)\S+@\S+")
NUMBER = re.compile(r"\d+")
TOKEN = re.compile(r"\w\w+")


@dataclass(frozen=True)
class Prediction:
    """The answer for one ticket.

    Attributes:
        label: the most probable category.
        confidence: its calibrated probability, 0 to 1.
        probabilities: category to calibrated probability, in the order of the card.
        fallback: whether a person should sort the ticket instead.
        model_version: version of the model that answered.
    """

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


@dataclass(frozen=True)
class Weights:
    """The arrays of `weights.npz` for t terms and k labels."""

    idf: np.ndarray  # (t,)
    coefficients: np.ndarray  # (k, t)
    intercept: np.ndarray  # (k,)


class Pipeline:
    """A loaded model that answers tickets. It does not change once it is made."""

    def __init__(self, card: Mapping[str, Any], vocabulary: list[str], weights: Weights) -> None:
        self._labels: list[str] = card["labels"]
        self._version: str = card["version"]
        self._temperature: float = card["temperature"]
        self._min_confidence: float = card["min_confidence"]
        self._max_tokens: int = card["max_tokens"]
        self._column_of = {term: column for column, term in enumerate(vocabulary)}
        self._weights = weights

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError(f"a ticket must be a str, not {type(text).__name__}")
        return self._answer(self._scores(text))

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, lazily and in their order; at most `batch_size` are read ahead.

        Raises:
            TypeError: `texts` is a string or no iterable, or holds something that is no `str`, or
                `batch_size` is no `int`.
            ValueError: `batch_size` is below 1.
        """
        if isinstance(texts, str | bytes):
            raise TypeError("texts must be an iterable of str, not one string")
        if not isinstance(batch_size, int):
            raise TypeError(f"batch_size must be an int, not {type(batch_size).__name__}")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        return self._predict_all(iter(texts), batch_size)

    def _predict_all(self, texts: Iterator[str], batch_size: int) -> Iterator[Prediction]:
        tickets = enumerate(texts)
        while scores := [self._scores_at(*item) for item in islice(tickets, batch_size)]:
            yield from map(self._answer, scores)

    def _scores_at(self, position: int, text: str) -> np.ndarray:
        if not isinstance(text, str):
            raise TypeError(f"ticket {position} is no str but {type(text).__name__}")
        return self._scores(text)

    def _scores(self, text: str) -> np.ndarray:
        columns, values = self._vector(tokenize(text, self._max_tokens))
        return self._weights.coefficients[:, columns] @ values + self._weights.intercept

    def _vector(self, tokens: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Columns of the known terms, and their TF-IDF weights scaled to length 1."""
        terms = [*tokens, *(f"{first} {second}" for first, second in pairwise(tokens))]
        counts = Counter(self._column_of[term] for term in terms if term in self._column_of)
        columns = np.fromiter(counts.keys(), dtype=np.intp, count=len(counts))
        frequencies = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
        values = (1 + np.log(frequencies)) * self._weights.idf[columns]
        length = np.linalg.norm(values)
        return columns, values / length if length > 0 else values

    def _answer(self, scores: np.ndarray) -> Prediction:
        probabilities = softmax(scores / self._temperature)
        best = int(probabilities.argmax())
        confidence = float(probabilities[best])
        return Prediction(
            label=self._labels[best],
            confidence=confidence,
            probabilities=dict(zip(self._labels, probabilities.tolist(), strict=True)),
            fallback=confidence < self._min_confidence,
            model_version=self._version,
        )


def tokenize(text: str, max_tokens: int) -> list[str]:
    """Steps 1 to 9: the first tokens of a ticket, prepared as in training."""
    text = html.unescape(TAG.sub(" ", text))
    text = unicodedata.normalize("NFKC", text)
    text = "".join(map(printable, text)).casefold()
    text = URL.sub(" urlmask ", text)
    text = MAIL.sub(" mailmask ", text)
    text = NUMBER.sub(" nummask ", text)
    return TOKEN.findall(text)[:max_tokens]


def printable(character: str) -> str:
    """Step 4 for one character."""
    match unicodedata.category(character):
        case "Cc":
            return " "
        case "Cf":
            return ""
        case _:
            return character


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file is damaged, was changed, or has a version that this code cannot read.
    """
    folder = Path(model_dir)
    contents = {name: (folder / name).read_bytes() for name in ("vocabulary.txt", "weights.npz")}
    card = read_card((folder / "card.json").read_bytes())
    for name, content in contents.items():
        if hashlib.sha256(content).hexdigest() != card["sha256"][name]:
            raise ValueError(f"{name} is not the file that the card describes")
    vocabulary = contents["vocabulary.txt"].decode("utf-8").removesuffix("\n").split("\n")
    weights = read_weights(contents["weights.npz"])
    check_shapes(weights, terms=len(vocabulary), labels=len(card["labels"]))
    return Pipeline(card, vocabulary, weights)


def read_card(content: bytes) -> dict[str, Any]:
    card = json.loads(content)  # its errors are ValueErrors
    if not isinstance(card, dict):
        raise ValueError("the card is no JSON object")
    if missing := CARD_ENTRIES - card.keys():
        raise ValueError(f"the card lacks {sorted(missing)}")
    if card["format_version"] != FORMAT_VERSION:
        raise ValueError(f"format_version must be {FORMAT_VERSION}")
    if missing := {"vocabulary.txt", "weights.npz"} - card["sha256"].keys():
        raise ValueError(f"the card lacks checksums of {sorted(missing)}")
    return card


def read_weights(content: bytes) -> Weights:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Weights(arrays["idf"], arrays["coefficients"], arrays["intercept"])
    except (KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError("weights.npz cannot be read") from error


def check_shapes(weights: Weights, terms: int, labels: int) -> None:
    expected = {"idf": (terms,), "coefficients": (labels, terms), "intercept": (labels,)}
    for name, shape in expected.items():
        if (found := getattr(weights, name).shape) != shape:
            raise ValueError(f"{name} has shape {found}, not {shape}")
