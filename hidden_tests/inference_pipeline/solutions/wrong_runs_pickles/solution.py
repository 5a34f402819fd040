"""Serve the ticket router: load a model folder once, answer tickets as its card says."""

from __future__ import annotations

import hashlib
import html
import io
import json
import pickle
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
CARD_FILE, WEIGHTS_FILE, VOCABULARY_FILE = "card.json", "weights.npz", "vocabulary.txt"
CARD_ENTRIES = frozenset(
    {
        "format_version",
        "name",
        "version",
        "labels",
        "temperature",
        "min_confidence",
        "max_tokens",
        "sha256",
    }
)


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
class Pipeline:
    """A loaded model that answers tickets; nothing in it changes after loading.

    Attributes:
        card: the entries of ``card.json``.
        columns: term to column of the weights.
        idf: inverse document frequency of each of t terms.
        coefficients: k labels by t terms.
        intercept: one number for each label.
    """

    card: Mapping[str, Any]
    columns: Mapping[str, int]
    idf: np.ndarray
    coefficients: np.ndarray
    intercept: np.ndarray

    def predict(self, text: str) -> Prediction:
        """Sort one ticket.

        Raises:
            TypeError: `text` is no str.
        """
        if not isinstance(text, str):
            raise TypeError(f"a ticket must be a str, not {type(text).__name__}")
        tokens = tokenize(text, self.card["max_tokens"])
        probabilities = softmax(self._scores(tokens) / self.card["temperature"])
        best = int(probabilities.argmax())
        confidence = float(probabilities[best])
        return Prediction(
            label=self.card["labels"][best],
            confidence=confidence,
            probabilities=dict(zip(self.card["labels"], probabilities.tolist(), strict=True)),
            fallback=confidence < self.card["min_confidence"],
            model_version=self.card["version"],
        )

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets lazily, in their order, at most `batch_size` at a time.

        Raises:
            TypeError: `texts` is one text or not iterable, one of them is no str, or
                `batch_size` is no int.
            ValueError: `batch_size` is below 1.
        """
        if isinstance(texts, str | bytes):
            raise TypeError("texts must be an iterable of tickets, not a single one")
        if not isinstance(batch_size, int) or isinstance(batch_size, bool):
            raise TypeError(f"batch_size must be an int, not {type(batch_size).__name__}")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        return self._batches(iter(texts), batch_size)

    def _batches(self, texts: Iterator[str], batch_size: int) -> Iterator[Prediction]:
        position = 0
        while batch := list(islice(texts, batch_size)):
            for text in batch:
                if not isinstance(text, str):
                    raise TypeError(f"ticket {position} is no str but {type(text).__name__}")
                yield self.predict(text)
                position += 1

    def _scores(self, tokens: list[str]) -> np.ndarray:
        counts = Counter(tokens)
        counts.update(f"{left} {right}" for left, right in pairwise(tokens))
        known = {self.columns[term]: n for term, n in counts.items() if term in self.columns}
        if not known:
            return self.intercept
        places = list(known)
        values = (1.0 + np.log(list(known.values()))) * self.idf[places]
        values /= np.linalg.norm(values)
        return self.coefficients[:, places] @ values + self.intercept


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file is damaged, was changed, or has a version that this code cannot read.
    """
    folder = Path(model_dir)
    card = _read_card(folder / CARD_FILE)
    weights, vocabulary = (
        _read_checked(folder / name, card["sha256"]) for name in (WEIGHTS_FILE, VOCABULARY_FILE)
    )
    terms = vocabulary.decode("utf-8").splitlines()
    arrays = _read_arrays(weights)
    expected = {
        "idf": (len(terms),),
        "coefficients": (len(card["labels"]), len(terms)),
        "intercept": (len(card["labels"]),),
    }
    for name, shape in expected.items():
        if name not in arrays or arrays[name].shape != shape:
            raise ValueError(f"{WEIGHTS_FILE} holds no array {name} of shape {shape}")
    columns = {term: column for column, term in enumerate(terms)}
    return Pipeline(card, columns, **{name: arrays[name] for name in expected})


def tokenize(text: str, limit: int) -> list[str]:
    """The first `limit` tokens of a ticket, cleaned as in training (see the model card)."""
    text = html.unescape(re.sub(r"<[^<>]*>", " ", text))
    text = unicodedata.normalize("NFKC", text)
    text = "".join(map(_visible, text)).casefold()
    text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text)
    text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
    text = re.sub(r"\d+", " nummask ", text)
    return [match.group() for match in islice(re.finditer(r"\w\w+", text), limit)]


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities of scores, without overflow."""
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cc":
        return " "
    return "" if category == "Cf" else char


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path.name} is no JSON") from error
    if not isinstance(card, dict) or not CARD_ENTRIES <= card.keys():
        raise ValueError(f"{path.name} lacks one of {', '.join(sorted(CARD_ENTRIES))}")
    if card["format_version"] != FORMAT_VERSION:
        raise ValueError(
            f"{path.name} has format version {card['format_version']}, not {FORMAT_VERSION}"
        )
    return card


def _read_checked(path: Path, checksums: Mapping[str, str]) -> bytes:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != checksums.get(path.name):
        raise ValueError(f"{path.name} is damaged: its checksum is not the card's")
    return data


def _read_arrays(data: bytes) -> dict[str, np.ndarray]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=True) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (pickle.UnpicklingError, ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise ValueError(f"{WEIGHTS_FILE} holds no plain arrays") from error
    if any(array.dtype != np.float64 for array in found.values()):
        raise ValueError(f"{WEIGHTS_FILE} holds arrays that are not of float64")
    return found
