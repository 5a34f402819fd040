"""Serve the ticket router with one sparse matrix product for each batch."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import unicodedata
import zipfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import count, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import sparse
from scipy.sparse import linalg
from scipy.special import softmax

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

NEEDED: Final = {
    "format_version": int,
    "name": str,
    "version": str,
    "labels": list,
    "temperature": (int, float),
    "min_confidence": (int, float),
    "max_tokens": int,
    "sha256": dict,
}


class ModelError(ValueError):
    """The model folder cannot be served."""


class TicketError(TypeError):
    """A ticket is no text."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says about one ticket, and whether a person should look."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


@dataclass(frozen=True, slots=True)
class Preprocessor:
    """Training-time preprocessing, see the model card."""

    max_tokens: int
    masks: tuple[tuple[re.Pattern[str], str], ...] = field(
        default=(
            (re.compile(r"(?<!\S)(?:https?://|www\.)\S+"), " urlmask "),
            (re.compile(r"(?<!\S)\S+@\S+"), " mailmask "),
            (re.compile(r"\d+"), " nummask "),
        )
    )

    def tokens(self, text: str) -> list[str]:
        """The tokens that the model reads."""
        text = html.unescape(re.sub(r"<[^<>]*>", " ", text))
        text = unicodedata.normalize("NFKC", text)
        text = text.translate(_InvisibleCharacters()).casefold()
        for pattern, word in self.masks:
            text = pattern.sub(word, text)
        return [match[0] for match in islice(re.finditer(r"\w\w+", text), self.max_tokens)]


class _InvisibleCharacters(dict[int, str]):
    """A translation table that fills itself with what the text holds."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        shown = {"Cc": " ", "Cf": ""}.get(unicodedata.category(char), char)
        self[code] = shown
        return shown


class Pipeline:
    """Serves one model."""

    def __init__(
        self, card: dict[str, Any], terms: Sequence[str], arrays: dict[str, np.ndarray]
    ) -> None:
        self._card = card
        self._columns = dict(zip(terms, count()))
        self._arrays = arrays
        self._preprocessor = Preprocessor(card["max_tokens"])

    def predict(self, text: str) -> dict[str, Any]:
        """Sort one ticket.

        Raises:
            TicketError: it is no str.
        """
        return next(self.predict_batch([text], batch_size=1))

    def predict_batch(
        self, texts: Iterable[str], batch_size: int = 64
    ) -> Iterator[dict[str, Any]]:
        """Sort tickets in batches, lazily.

        Raises:
            TypeError: the arguments are no iterable of str and no int.
            ValueError: `batch_size` is below 1.
        """
        match texts, batch_size:
            case (str() | bytes()), _:
                raise TypeError("texts is one ticket; give an iterable of tickets")
            case _, bool():
                raise TypeError("batch_size is a flag")
            case _, int():
                pass
            case _:
                raise TypeError("batch_size is no int")
        if batch_size <= 0:
            raise ValueError(f"batch_size is {batch_size}")
        numbered = enumerate(texts)
        return self._stream(numbered, batch_size)

    def _stream(
        self, numbered: Iterator[tuple[int, str]], batch_size: int
    ) -> Iterator[dict[str, Any]]:
        while batch := list(islice(numbered, batch_size)):
            for place, text in batch:
                if not isinstance(text, str):
                    raise TicketError(f"ticket {place} is of type {type(text).__name__}")
            features = self._features([text for _, text in batch])
            scores = features @ self._arrays["coefficients"].T + self._arrays["intercept"]
            for row in softmax(scores / self._card["temperature"], axis=1):
                yield asdict(self._prediction(row))

    def _features(self, texts: Sequence[str]) -> sparse.csr_array:
        rows, columns, counts = [], [], []
        for row, text in enumerate(texts):
            tokens = self._preprocessor.tokens(text)
            terms = Counter(tokens) + Counter(map(" ".join, pairwise(tokens)))
            for term in terms.keys() & self._columns.keys():
                rows.append(row)
                columns.append(self._columns[term])
                counts.append(terms[term])
        values = (1.0 + np.log(np.array(counts, dtype=float))) * self._arrays["idf"][columns]
        shape = (len(texts), len(self._columns))
        matrix = sparse.csr_array((values, (rows, columns)), shape=shape)
        lengths = linalg.norm(matrix, axis=1)
        scale = np.divide(1.0, lengths, out=np.ones_like(lengths), where=lengths > 0)
        return sparse.diags_array(scale) @ matrix

    def _prediction(self, row: np.ndarray) -> Prediction:
        best = int(np.argmax(row))
        return Prediction(
            label=self._card["labels"][best],
            confidence=float(row[best]),
            probabilities=dict(zip(self._card["labels"], map(float, row), strict=True)),
            fallback=bool(row[best] < self._card["min_confidence"]),
            model_version=self._card["version"],
        )


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read and check a model folder.

    Raises:
        FileNotFoundError: a file is missing.
        ModelError: a file is damaged or of another version.
    """
    folder = Path(model_dir)
    card = _card((folder / "card.json").read_bytes())
    content = {name: (folder / name).read_bytes() for name in ("vocabulary.txt", "weights.npz")}
    for name, data in content.items():
        if hashlib.sha256(data).hexdigest() != card["sha256"].get(name):
            raise ModelError(f"{name} is not the file that the card describes")
    terms = content["vocabulary.txt"].decode().splitlines()
    arrays = _arrays(content["weights.npz"])
    k, t = len(card["labels"]), len(terms)
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != {"idf": (t,), "coefficients": (k, t), "intercept": (k,)}:
        raise ModelError(f"shapes {shapes} do not fit {k} labels and {t} terms")
    return Pipeline(card, terms, arrays)


def _card(data: bytes) -> dict[str, Any]:
    try:
        card = json.loads(data)
    except ValueError as error:
        raise ModelError("card.json is damaged") from error
    if not isinstance(card, dict):
        raise ModelError("card.json holds no object")
    for name, kind in NEEDED.items():
        if not isinstance(card.get(name), kind):
            raise ModelError(f"card.json has no usable entry {name}")
    if card["format_version"] != 1:
        raise ModelError(f"format version {card['format_version']} is unknown")
    return card


def _arrays(data: bytes) -> dict[str, np.ndarray]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in ("idf", "coefficients", "intercept")}
    except (KeyError, ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ModelError("weights.npz is damaged") from error
