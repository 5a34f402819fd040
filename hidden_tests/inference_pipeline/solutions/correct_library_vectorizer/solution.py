"""Serve the ticket router: load a model folder, check it, answer tickets."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

FORMAT_VERSION = 1
CARD_FILE = "card.json"
VOCABULARY_FILE = "vocabulary.txt"
WEIGHTS_FILE = "weights.npz"
CARD_ENTRIES = (
    "format_version",
    "name",
    "version",
    "labels",
    "temperature",
    "min_confidence",
    "max_tokens",
    "sha256",
)

TAG = re.compile(r"<[^<>]*>")
LONG_REFERENCE = re.compile(r"&#0*([0-9]+)")
WEB_ADDRESS = re.compile(r"(?<!\S)(?:https?://|www\.)\S+")
MAIL_ADDRESS = re.compile(r"(?<!\S)\S+@\S+")
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


def shorten_reference(match: re.Match[str]) -> str:
    """Keep a numeric character reference short enough for int().

    html.unescape raises on references of more than 4,300 digits. Any number of eight digits or more
    is beyond Unicode and decodes to U+FFFD, whichever it is.
    """
    digits = match[1]
    return "&#" + (digits if len(digits) < 8 else "99999999")


def visible(char: str) -> str:
    """Show a character as the model saw it: control characters as spaces, formats not at all."""
    category = unicodedata.category(char)
    if category == "Cc":
        return " "
    return "" if category == "Cf" else char


def normalize(text: str) -> str:
    """Apply steps 1 to 8 of the model card."""
    text = TAG.sub(" ", text)
    text = html.unescape(LONG_REFERENCE.sub(shorten_reference, text))
    text = unicodedata.normalize("NFKC", text)
    text = "".join(map(visible, text))
    text = text.casefold()
    text = WEB_ADDRESS.sub(" urlmask ", text)
    text = MAIL_ADDRESS.sub(" mailmask ", text)
    return NUMBER.sub(" nummask ", text)


class Pipeline:
    """A loaded model that answers tickets. Immutable, so threads may share it."""

    def __init__(
        self,
        card: dict[str, Any],
        vocabulary: list[str],
        idf: NDArray[np.float64],
        coefficients: NDArray[np.float64],
        intercept: NDArray[np.float64],
    ) -> None:
        """Keep the parts of a model that has been checked."""
        self._labels: list[str] = card["labels"]
        self._version: str = card["version"]
        self._temperature: float = card["temperature"]
        self._min_confidence: float = card["min_confidence"]
        self._max_tokens: int = card["max_tokens"]
        self._vectorizer = TfidfVectorizer(
            analyzer=self._terms, vocabulary=vocabulary, sublinear_tf=True
        )
        self._vectorizer.idf_ = idf
        # One row for each term: a ticket needs only the rows of its own terms.
        self._term_rows = np.ascontiguousarray(coefficients.T)
        self._intercept = intercept

    def predict(self, text: str) -> Prediction:
        """Sort one ticket.

        Raises:
            TypeError: the ticket is no str.
        """
        if not isinstance(text, str):
            raise TypeError(f"a ticket must be a str, not {type(text).__name__}")
        probabilities = self._probabilities(text)
        best = int(np.argmax(probabilities))
        confidence = float(probabilities[best])
        return Prediction(
            label=self._labels[best],
            confidence=confidence,
            probabilities=dict(zip(self._labels, probabilities.tolist(), strict=True)),
            fallback=confidence < self._min_confidence,
            model_version=self._version,
        )

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, lazily and in their order.

        Raises:
            TypeError: texts is a single string or not iterable, batch_size is no int, or (when its
                result is asked for) an element is no str.
            ValueError: batch_size is below 1.
        """
        if isinstance(texts, str | bytes):
            raise TypeError("texts must be an iterable of str, not a single string")
        if isinstance(batch_size, bool) or not isinstance(batch_size, int):
            raise TypeError(f"batch_size must be an int, not {type(batch_size).__name__}")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        return self._answer(iter(texts))

    def _answer(self, texts: Iterator[str]) -> Iterator[Prediction]:
        """Answer one ticket after the other."""
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"ticket {position} must be a str, not {type(text).__name__}")
            yield self.predict(text)

    def _probabilities(self, text: str) -> NDArray[np.float64]:
        """Return the calibrated probability of each label."""
        scores = self._vectorizer.transform([text]) @ self._term_rows + self._intercept
        probabilities: NDArray[np.float64] = softmax(scores[0] / self._temperature)
        return probabilities

    def _terms(self, text: str) -> list[str]:
        """Return tokens and pairs of a ticket."""
        tokens = [match[0] for match in islice(TOKEN.finditer(normalize(text)), self._max_tokens)]
        return tokens + [f"{first} {second}" for first, second in pairwise(tokens)]


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file is damaged, was changed, or has a version that this code cannot read.
    """
    folder = Path(model_dir)
    for name in (CARD_FILE, VOCABULARY_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"the model lacks the file {folder / name}")

    card = parse_card((folder / CARD_FILE).read_bytes())
    contents = {name: (folder / name).read_bytes() for name in (VOCABULARY_FILE, WEIGHTS_FILE)}
    for name, content in contents.items():
        if hashlib.sha256(content).hexdigest() != card["sha256"][name].lower():
            raise ValueError(f"{name} does not have the checksum of {CARD_FILE}")

    vocabulary = contents[VOCABULARY_FILE].decode("utf-8").splitlines()
    arrays = parse_weights(contents[WEIGHTS_FILE])
    terms, labels = len(vocabulary), len(card["labels"])
    shapes = {"idf": (terms,), "coefficients": (labels, terms), "intercept": (labels,)}
    for name, shape in shapes.items():
        if name not in arrays:
            raise ValueError(f"{WEIGHTS_FILE} lacks the array {name}")
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has the shape {arrays[name].shape} instead of {shape}")
    return Pipeline(card, vocabulary, *(arrays[name].astype(np.float64) for name in shapes))


def parse_card(content: bytes) -> dict[str, Any]:
    """Decode card.json and check that nothing is missing from it."""
    try:
        card = json.loads(content)
    except RecursionError as error:
        raise ValueError(f"{CARD_FILE} is nested too deeply") from error
    if not isinstance(card, dict):
        raise ValueError(f"{CARD_FILE} is no JSON object")
    missing = [entry for entry in CARD_ENTRIES if entry not in card]
    if missing:
        raise ValueError(f"{CARD_FILE} lacks {', '.join(missing)}")
    if card["format_version"] != FORMAT_VERSION:
        raise ValueError(f"format version {card['format_version']} is not {FORMAT_VERSION}")
    for name in (VOCABULARY_FILE, WEIGHTS_FILE):
        if name not in card["sha256"]:
            raise ValueError(f"{CARD_FILE} lacks the checksum of {name}")
    return card


def parse_weights(content: bytes) -> dict[str, NDArray[Any]]:
    """Read every array of weights.npz; refuses pickled objects."""
    try:
        archive = np.load(io.BytesIO(content), allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError(f"{WEIGHTS_FILE} is no npz archive")
        with archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise ValueError(f"{WEIGHTS_FILE} cannot be read") from error
