"""Serving code for the ticket router."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Iterable, Iterator

import numpy as np

CARD_KEYS = ["format_version", "name", "version", "labels", "temperature",
             "min_confidence", "max_tokens", "sha256"]


@dataclass(frozen=True)
class Prediction:
    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


def clean(text: str) -> str:
    """Steps 1 to 8 of the model card."""
    text = re.sub(r"<[^<>]*>", " ", text)
    text = html.unescape(text)
    text = unicodedata.normalize("NFKC", text)
    chars = []
    for c in text:
        cat = unicodedata.category(c)
        if cat == "Cc":
            chars.append(" ")
        elif cat != "Cf":
            chars.append(c)
    text = "".join(chars).casefold()
    text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text)
    text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
    return re.sub(r"\d+", " nummask ", text)


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, card: dict, vocabulary: list[str], idf, coefficients, intercept):
        self.labels = card["labels"]
        self.temperature = card["temperature"]
        self.min_confidence = card["min_confidence"]
        self.max_tokens = card["max_tokens"]
        self.version = card["version"]
        self.column = {term: i for i, term in enumerate(vocabulary)}
        self.idf = idf
        self.coefficients = coefficients
        self.intercept = intercept

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError(f"text must be a str, not {type(text).__name__}")
        scores = self._scores(text) / self.temperature
        e = np.exp(scores - scores.max())
        p = (e / e.sum()).tolist()
        confidence = max(p)
        return Prediction(
            label=self.labels[p.index(confidence)],
            confidence=confidence,
            probabilities=dict(zip(self.labels, p)),
            fallback=confidence < self.min_confidence,
            model_version=self.version,
        )

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, lazily and in their order."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts must be an iterable of str, not a single string")
        if not isinstance(batch_size, int) or isinstance(batch_size, bool):
            raise TypeError("batch_size must be an int")
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        return self._iter_batches(iter(texts), batch_size)

    def _iter_batches(self, it, batch_size):
        pos = 0
        while batch := list(islice(it, batch_size)):
            for i, text in enumerate(batch):
                if not isinstance(text, str):
                    raise TypeError(f"element {pos + i} is not a str")
            pos += len(batch)
            batch.reverse()
            while batch:
                yield self.predict(batch.pop())

    def _scores(self, text: str) -> np.ndarray:
        tokens = re.findall(r"\w\w+", clean(text))[: self.max_tokens]
        counts = Counter(tokens)
        counts.update(f"{a} {b}" for a, b in zip(tokens, tokens[1:]))
        known = {self.column[t]: n for t, n in counts.items() if t in self.column}
        if not known:
            return self.intercept.copy()
        cols = np.array(list(known))
        x = (1 + np.log(list(known.values()))) * self.idf[cols]
        norm = np.linalg.norm(x)
        if norm > 0:
            x = x / norm
        return self.coefficients[:, cols] @ x + self.intercept


def load_pipeline(model_dir) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it."""
    folder = Path(model_dir)
    card_bytes = (folder / "card.json").read_bytes()
    vocab_bytes = (folder / "vocabulary.txt").read_bytes()
    weight_bytes = (folder / "weights.npz").read_bytes()

    card = json.loads(card_bytes)
    if not isinstance(card, dict):
        raise ValueError("card.json is not an object")
    for key in CARD_KEYS:
        if key not in card:
            raise ValueError(f"card.json has no {key}")
    if card["format_version"] != 1:
        raise ValueError("format_version is not 1")
    for name, data in [("vocabulary.txt", vocab_bytes), ("weights.npz", weight_bytes)]:
        if card["sha256"].get(name) != hashlib.sha256(data).hexdigest():
            raise ValueError(f"checksum of {name} does not match")

    vocabulary = vocab_bytes.decode("utf-8").removesuffix("\n").split("\n")
    try:
        with np.load(io.BytesIO(weight_bytes), allow_pickle=False) as f:
            idf, coefficients, intercept = f["idf"], f["coefficients"], f["intercept"]
    except Exception as e:
        raise ValueError("weights.npz cannot be read") from e

    t, k = len(vocabulary), len(card["labels"])
    if idf.shape != (t,) or coefficients.shape != (k, t) or intercept.shape != (k,):
        raise ValueError("weights do not fit vocabulary and labels")
    return Pipeline(card, vocabulary, idf, coefficients, intercept)
