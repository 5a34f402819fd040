"""Serve the ticket router. `model/MODEL_CARD.md` is the specification; step numbers refer to it."""

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
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

FORMAT_VERSION = 1
CARD_ENTRIES = set(
    "format_version name version labels temperature min_confidence max_tokens sha256".split()
)

TAG = re.compile(r"<[^<>]*>")
MASKS = (
    (re.compile(r"(?<!\S)(?:https?://|www\.)\S+"), " urlmask "),
    (re.compile(r"(?<!\S)\S+@\S+"), " mailmask "),
    (re.compile(r"\d+"), " nummask "),
)
TOKEN = re.compile(r"\w\w+")
REPLACED_CATEGORIES = {"Cc": " ", "Cf": ""}


@dataclass(frozen=True)
class Prediction:
    """The answer for one ticket; `confidence` is the calibrated probability of `label`."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


@dataclass(frozen=True)
class Pipeline:
    """A loaded model that answers tickets. It never changes, so threads may share it."""

    labels: tuple[str, ...]
    version: str
    temperature: float
    min_confidence: float
    max_tokens: int
    columns: dict[str, int]
    idf: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError(f"a ticket must be a str, not {type(text).__name__}")
        return self._answer(self._scores(text))

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, lazily and in their order.

        Arguments are checked at once, elements when they are reached.
        """
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts must be an iterable of tickets, not one string")
        if not isinstance(batch_size, int) or isinstance(batch_size, bool):
            raise TypeError("batch_size must be an int")
        if batch_size < 1:
            raise ValueError("batch_size must be 1 or more")
        return self._predict_each(iter(texts))

    def _predict_each(self, texts: Iterator[str]) -> Iterator[Prediction]:
        """Answer one ticket at a time: sparse scoring gains nothing from larger batches."""
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"ticket {position} must be a str, not {type(text).__name__}")
            yield self.predict(text)

    def _scores(self, text: str) -> NDArray[np.float64]:
        """Return the uncalibrated score of each label."""
        counts = Counter(terms(tokenize(text, self.max_tokens)))
        known = [(self.columns[term], n) for term, n in counts.items() if term in self.columns]
        if not known:
            return self.intercept
        columns, occurrences = np.array(known).T
        weights = (1 + np.log(occurrences)) * self.idf[columns]
        length = np.linalg.norm(weights)
        if length > 0:
            weights /= length
        return self.coefficients[:, columns] @ weights + self.intercept

    def _answer(self, scores: NDArray[np.float64]) -> Prediction:
        """Calibrate scores and wrap them up in plain Python types."""
        probabilities = dict(zip(self.labels, softmax(scores / self.temperature).tolist()))
        label = max(probabilities, key=probabilities.__getitem__)
        confidence = probabilities[label]
        return Prediction(
            label=label,
            confidence=confidence,
            probabilities=probabilities,
            fallback=confidence < self.min_confidence,
            model_version=self.version,
        )


def normalize(text: str) -> str:
    """Apply steps 1 to 8: clean the text and mask what varies."""
    text = html.unescape(TAG.sub(" ", text))
    text = unicodedata.normalize("NFKC", text)
    text = "".join(REPLACED_CATEGORIES.get(unicodedata.category(c), c) for c in text)
    text = text.casefold()
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def tokenize(text: str, max_tokens: int) -> list[str]:
    """Cut a raw ticket into its first `max_tokens` tokens (step 9)."""
    return TOKEN.findall(normalize(text))[:max_tokens]


def terms(tokens: list[str]) -> list[str]:
    """Return the tokens and their neighbouring pairs."""
    return tokens + [f"{first} {second}" for first, second in pairwise(tokens)]


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn scores into probabilities, without overflow."""
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum()


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file is damaged, was changed, or has a version that this code cannot read.
    """
    folder = Path(model_dir)
    card = _parse_card((folder / "card.json").read_bytes())
    vocabulary = _read_checked(folder / "vocabulary.txt", card).decode("utf-8")
    terms_in_order = vocabulary.removesuffix("\n").split("\n")
    arrays = _parse_weights(_read_checked(folder / "weights.npz", card))

    n_terms, n_labels = len(terms_in_order), len(card["labels"])
    expected = {"idf": (n_terms,), "coefficients": (n_labels, n_terms), "intercept": (n_labels,)}
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}, expected {shape}")
    return Pipeline(
        labels=tuple(card["labels"]),
        version=card["version"],
        temperature=card["temperature"],
        min_confidence=card["min_confidence"],
        max_tokens=card["max_tokens"],
        columns={term: column for column, term in enumerate(terms_in_order)},
        **arrays,
    )


def _parse_card(content: bytes) -> dict[str, Any]:
    card = json.loads(content)
    if not isinstance(card, dict):
        raise ValueError("card.json must hold an object")
    if missing := CARD_ENTRIES - card.keys():
        raise ValueError(f"card.json lacks {sorted(missing)}")
    if card["format_version"] != FORMAT_VERSION:
        raise ValueError(f"cannot read format_version {card['format_version']!r}")
    return card


def _read_checked(path: Path, card: dict[str, Any]) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card["sha256"].get(path.name):
        raise ValueError(f"checksum of {path.name} is not the card's")
    return content


def _parse_weights(content: bytes) -> dict[str, NDArray[np.float64]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in ("idf", "coefficients", "intercept")}
    except (KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError("weights.npz cannot be read or lacks an array") from error
