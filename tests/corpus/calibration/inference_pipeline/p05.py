"""Serve the ticket router. The task is in README.md, the model in model/MODEL_CARD.md."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

if TYPE_CHECKING:
    import os

FORMAT_VERSION = 1
CARD_ENTRIES = {
    "format_version", "name", "version", "labels",
    "temperature", "min_confidence", "max_tokens", "sha256",
}  # fmt: skip

TAG = re.compile(r"<[^<>]*>")
MASKS = (
    (re.compile(r"(?<!\S)(?:https?://|www\.)\S+"), " urlmask "),
    (re.compile(r"(?<!\S)\S+@\S+"), " mailmask "),
    (re.compile(r"\d+"), " nummask "),
)
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
class Card:
    """What a program needs of the model card."""

    version: str
    labels: tuple[str, ...]
    temperature: float
    min_confidence: float
    max_tokens: int


@dataclass(frozen=True)
class Weights:
    """The arrays of the model: one column a term, one row a label."""

    idf: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    intercept: NDArray[np.float64]


def prepare(text: str) -> str:
    """Apply steps 1 to 8 of the model card."""
    text = html.unescape(TAG.sub(" ", text))
    text = unicodedata.normalize("NFKC", text)
    text = "".join(map(_replace_control, text)).casefold()
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def _replace_control(character: str) -> str:
    category = unicodedata.category(character)
    return {"Cc": " ", "Cf": ""}.get(category, character)


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, card: Card, vocabulary: Sequence[str], weights: Weights) -> None:
        self._card = card
        self._column = {term: i for i, term in enumerate(vocabulary)}
        self._weights = weights

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError(f"a ticket is a str, not {type(text).__name__}")
        return self._result(self._scores(text))

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, lazily and in their order."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts is an iterable of str, not one text")
        if not isinstance(batch_size, int) or isinstance(batch_size, bool):
            raise TypeError("batch_size is an int")
        if batch_size < 1:
            raise ValueError("batch_size is at least 1")
        return self._answers(enumerate(texts), batch_size)

    def _answers(
        self, numbered: Iterator[tuple[int, str]], batch_size: int
    ) -> Iterator[Prediction]:
        while batch := list(islice(numbered, batch_size)):
            for position, text in batch:
                if not isinstance(text, str):
                    raise TypeError(f"element {position} is no str but {type(text).__name__}")
            scores = np.array([self._scores(text) for _, text in batch])
            del batch
            yield from map(self._result, scores)

    def _scores(self, text: str) -> NDArray[np.float64]:
        tokens = list(islice((m[0] for m in TOKEN.finditer(prepare(text))), self._card.max_tokens))
        terms = chain(tokens, map(" ".join, pairwise(tokens)))
        counts = Counter(self._column[term] for term in terms if term in self._column)
        if not counts:
            return self._weights.intercept
        columns = np.fromiter(counts, dtype=np.intp)
        values = (1 + np.log(np.fromiter(counts.values(), dtype=float))) * self._weights.idf[columns]
        values /= np.linalg.norm(values)
        return self._weights.coefficients[:, columns] @ values + self._weights.intercept

    def _result(self, scores: NDArray[np.float64]) -> Prediction:
        probabilities = softmax(scores / self._card.temperature).tolist()
        by_label = dict(zip(self._card.labels, probabilities, strict=True))
        label = max(by_label, key=by_label.__getitem__)
        return Prediction(
            label=label,
            confidence=by_label[label],
            probabilities=by_label,
            fallback=by_label[label] < self._card.min_confidence,
            model_version=self._card.version,
        )


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file is damaged, was changed, or has a version that this code cannot read.
    """
    folder = Path(model_dir)
    card, checksums = _parse_card((folder / "card.json").read_bytes())
    vocabulary_bytes = _read_checked(folder / "vocabulary.txt", checksums)
    weights_bytes = _read_checked(folder / "weights.npz", checksums)

    vocabulary = vocabulary_bytes.decode("utf-8").removesuffix("\n").split("\n")
    weights = _parse_weights(weights_bytes)
    terms, labels = len(vocabulary), len(card.labels)
    shapes = weights.idf.shape, weights.coefficients.shape, weights.intercept.shape
    if shapes != ((terms,), (labels, terms), (labels,)):
        raise ValueError("weights do not fit vocabulary and labels")
    return Pipeline(card, vocabulary, weights)


def _parse_card(content: bytes) -> tuple[Card, dict[str, str]]:
    """Return the card and the checksums of the other files."""
    entries: Any = json.loads(content)
    if not isinstance(entries, dict):
        raise ValueError("card.json holds no JSON object")
    if missing := CARD_ENTRIES - entries.keys():
        raise ValueError(f"card.json lacks {sorted(missing)}")
    if entries["format_version"] != FORMAT_VERSION:
        raise ValueError(f"format_version is not {FORMAT_VERSION}")
    card = Card(
        version=entries["version"],
        labels=tuple(entries["labels"]),
        temperature=entries["temperature"],
        min_confidence=entries["min_confidence"],
        max_tokens=entries["max_tokens"],
    )
    return card, entries["sha256"]


def _read_checked(path: Path, checksums: dict[str, str]) -> bytes:
    """Read a file and compare its checksum with that of the card."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != checksums.get(path.name):
        raise ValueError(f"{path.name} has not the checksum of the card")
    return content


def _parse_weights(content: bytes) -> Weights:
    """Read the arrays; pickled objects are refused."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Weights(arrays["idf"], arrays["coefficients"], arrays["intercept"])
    except (KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError("weights.npz cannot be read") from error
