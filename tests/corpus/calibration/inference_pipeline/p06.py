"""Serve the ticket router. The task is in README.md, the model in model/MODEL_CARD.md."""

from __future__ import annotations

import hashlib
import html
import io
import json
import math
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

REQUIRED = ["format_version", "name", "version", "labels", "temperature", "min_confidence",
            "max_tokens", "sha256"]
FILES = ["vocabulary.txt", "weights.npz"]

TAG_RE = re.compile(r"<[^<>]*>")
URL_RE = re.compile(r"(?<!\S)(?:https?://|www\.)\S+")
MAIL_RE = re.compile(r"(?<!\S)\S+@\S+")
NUM_RE = re.compile(r"\d+")
TOKEN_RE = re.compile(r"\w\w+")


@dataclass(frozen=True)
class Prediction:
    """The answer for one ticket."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


def clean(text: str) -> str:
    """Prepare a text as in training, see the model card."""
    text = TAG_RE.sub(" ", text)
    text = html.unescape(text)
    text = unicodedata.normalize("NFKC", text)
    chars = []
    for c in text:
        category = unicodedata.category(c)
        if category == "Cc":
            chars.append(" ")
        elif category != "Cf":
            chars.append(c)
    text = "".join(chars).casefold()
    text = URL_RE.sub(" urlmask ", text)
    text = MAIL_RE.sub(" mailmask ", text)
    return NUM_RE.sub(" nummask ", text)


def tokenize(text: str, max_tokens: int) -> list[str]:
    """Cut out the first tokens."""
    return TOKEN_RE.findall(clean(text))[:max_tokens]


def softmax(x: np.ndarray) -> np.ndarray:
    """Softmax over the rows."""
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, card: dict, vocabulary: list[str], weights: dict) -> None:
        self.card = card
        self.index = {term: i for i, term in enumerate(vocabulary)}
        self.idf = weights["idf"]
        self.coefficients = weights["coefficients"]
        self.intercept = weights["intercept"]

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError("text must be a str")
        return self._predict_many([text])[0]

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, lazily and in their order."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts must be an iterable of str")
        if not isinstance(batch_size, int):
            raise TypeError("batch_size must be an int")
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        batch = []
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"texts[{i}] is not a str")
            batch.append(text)
            if len(batch) == batch_size:
                yield from self._predict_many(batch)
                batch = []
        if batch:
            yield from self._predict_many(batch)

    def _vector(self, text: str) -> np.ndarray:
        """TF-IDF vector of a text, of length 1 (or 0 if no term is known)."""
        tokens = tokenize(text, self.card["max_tokens"])
        terms = tokens + [a + " " + b for a, b in zip(tokens, tokens[1:])]
        vector = np.zeros(len(self.idf))
        for term, n in Counter(terms).items():
            if term in self.index:
                i = self.index[term]
                vector[i] = (1 + math.log(n)) * self.idf[i]
        norm = np.linalg.norm(vector)
        if norm > 0:
            vector = vector / norm
        return vector

    def _predict_many(self, texts: list[str]) -> list[Prediction]:
        vectors = np.array([self._vector(text) for text in texts])
        scores = vectors @ self.coefficients.T + self.intercept
        results = []
        for p in softmax(scores / self.card["temperature"]):
            best = int(np.argmax(p))
            confidence = float(p[best])
            results.append(
                Prediction(
                    label=self.card["labels"][best],
                    confidence=confidence,
                    probabilities={l: float(x) for l, x in zip(self.card["labels"], p)},
                    fallback=confidence < self.card["min_confidence"],
                    model_version=self.card["version"],
                )
            )
        return results


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it."""
    folder = Path(model_dir)
    card = json.loads((folder / "card.json").read_text("utf-8"))
    if not isinstance(card, dict):
        raise ValueError("card.json is not an object")
    for key in REQUIRED:
        if key not in card:
            raise ValueError(f"card.json has no {key}")
    if card["format_version"] != 1:
        raise ValueError(f"unknown format_version {card['format_version']}")

    content = {}
    for name in FILES:
        content[name] = (folder / name).read_bytes()
        if hashlib.sha256(content[name]).hexdigest() != card["sha256"].get(name):
            raise ValueError(f"checksum of {name} is wrong")

    vocabulary = content["vocabulary.txt"].decode("utf-8").rstrip("\n").split("\n")
    try:
        npz = np.load(io.BytesIO(content["weights.npz"]), allow_pickle=False)
        weights = {name: npz[name] for name in ["idf", "coefficients", "intercept"]}
    except Exception as e:
        raise ValueError("weights.npz cannot be read") from e

    t, k = len(vocabulary), len(card["labels"])
    if weights["idf"].shape != (t,):
        raise ValueError("idf does not fit the vocabulary")
    if weights["coefficients"].shape != (k, t):
        raise ValueError("coefficients do not fit")
    if weights["intercept"].shape != (k,):
        raise ValueError("intercept does not fit the labels")
    return Pipeline(card, vocabulary, weights)
