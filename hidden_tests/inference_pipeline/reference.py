"""The judge's own implementation of the task sheet, written apart from any labelled solution.

It reads the judge's copy of the model, keeps the dense arithmetic plain and is slow on purpose in
nothing: it is also the yardstick of the cost tests.
"""

from __future__ import annotations

import html
import io
import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Model", "tokens"]

Vector = np.ndarray[Any, np.dtype[np.float64]]

_TAG = re.compile(r"<[^<>]*>")
_URL = re.compile(r"(?<!\S)(?:https?://|www\.)\S+")
_MAIL = re.compile(r"(?<!\S)\S+@\S+")
_DIGITS = re.compile(r"\d+")
_TOKEN = re.compile(r"\w\w+")


def tokens(text: str, limit: int = 256) -> list[str]:
    """The tokens of a ticket, at most `limit`."""
    text = unicodedata.normalize("NFKC", html.unescape(_TAG.sub(" ", text)))
    if not text.isprintable():
        text = "".join(map(_visible, text))
    text = _URL.sub(" urlmask ", text.casefold())
    text = _DIGITS.sub(" nummask ", _MAIL.sub(" mailmask ", text))
    found = []
    for match in _TOKEN.finditer(text):
        found.append(match.group())
        if len(found) == limit:
            break
    return found


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    return " " if category == "Cc" else "" if category == "Cf" else char


@dataclass(frozen=True)
class Model:
    """A loaded model of t terms and k labels.

    Attributes:
        labels: k names.
        terms: term to column.
        idf: t inverse document frequencies.
        weights: t by k coefficients.
        intercept: k numbers.
        temperature: what scores are divided by.
        min_confidence: below it a person decides.
        max_tokens: tokens after these are not read.
        version: the model's.
    """

    labels: tuple[str, ...]
    terms: Mapping[str, int]
    idf: Vector
    weights: Vector
    intercept: Vector
    temperature: float
    min_confidence: float
    max_tokens: int
    version: str

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Model:
        """Read a model folder that is known to be whole."""
        card = json.loads(files["card.json"])
        arrays = np.load(io.BytesIO(files["weights.npz"]), allow_pickle=False)
        lines = files["vocabulary.txt"].decode("utf-8").splitlines()
        return cls(
            labels=tuple(card["labels"]),
            terms={term: column for column, term in enumerate(lines)},
            idf=arrays["idf"],
            weights=np.ascontiguousarray(arrays["coefficients"].T),
            intercept=arrays["intercept"],
            temperature=card["temperature"],
            min_confidence=card["min_confidence"],
            max_tokens=card["max_tokens"],
            version=card["version"],
        )

    def scores(self, texts: Iterable[str]) -> Vector:
        """Raw scores of n texts: n by k."""
        return np.array([self._score(tokens(text, self.max_tokens)) for text in texts])

    def probabilities(self, texts: Iterable[str]) -> Vector:
        """Calibrated probabilities of n texts: n by k."""
        return self.calibrated(self.scores(texts))

    def calibrated(self, scores: Vector) -> Vector:
        """The softmax of n by k scores over the temperature."""
        scaled = scores / self.temperature
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        result: Vector = powers / powers.sum(axis=1, keepdims=True)
        return result

    def _score(self, found: list[str]) -> Vector:
        counts = Counter(found)
        counts.update(f"{left} {right}" for left, right in pairwise(found))
        known = {self.terms[term]: n for term, n in counts.items() if term in self.terms}
        if not known:
            return self.intercept
        columns = list(known)
        values = (1.0 + np.log(list(known.values()))) * self.idf[columns]
        values /= np.sqrt(values @ values)
        result: Vector = values @ self.weights[columns] + self.intercept
        return result
