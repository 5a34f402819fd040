"""Ticket router serving, vectorised over batches with a sparse matrix."""

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

import numpy as np
from scipy import sparse
from scipy.special import softmax

URL = re.compile(r"(?<!\S)(?:https?://|www\.)\S+")
MAIL = re.compile(r"(?<!\S)\S+@\S+")
NUMBER = re.compile(r"\d+")
TAG = re.compile(r"<[^<>]*>")
WORD = re.compile(r"\w\w+")


@dataclass(frozen=True, slots=True)
class Prediction:
    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


class TextPreparer:
    """Turns a raw ticket into terms, the way the model card says."""

    def __init__(self, max_tokens: int):
        self.max_tokens = max_tokens

    def terms(self, text: str) -> Counter[str]:
        tokens = WORD.findall(self.clean(text))[: self.max_tokens]
        return Counter(tokens) + Counter(f"{a} {b}" for a, b in zip(tokens, tokens[1:]))

    @staticmethod
    def clean(text: str) -> str:
        text = TAG.sub(" ", text)
        text = html.unescape(text)
        text = unicodedata.normalize("NFKC", text)
        text = "".join(
            " " if unicodedata.category(c) == "Cc" else c
            for c in text
            if unicodedata.category(c) != "Cf"
        )
        text = text.casefold()
        text = URL.sub(" urlmask ", text)
        text = MAIL.sub(" mailmask ", text)
        return NUMBER.sub(" nummask ", text)


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, card, vocabulary, idf, coefficients, intercept):
        self.card = card
        self.index = {t: i for i, t in enumerate(vocabulary)}
        self.idf = idf
        self.coefficients = coefficients
        self.intercept = intercept
        self.preparer = TextPreparer(card["max_tokens"])

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError("text must be a str")
        return self._predict_many([text])[0]

    def predict_batch(self, texts, batch_size: int = 64):
        """Sort many tickets, lazily and in their order."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts must be an iterable of str")
        if type(batch_size) is not int:
            raise TypeError("batch_size must be an int")
        if batch_size < 1:
            raise ValueError("batch_size must be positive")
        return self._generate(iter(texts), batch_size)

    def _generate(self, texts, batch_size):
        start = 0
        while True:
            batch = list(islice(texts, batch_size))
            if not batch:
                return
            for i, t in enumerate(batch, start):
                if not isinstance(t, str):
                    raise TypeError(f"text {i} is not a str")
            start += len(batch)
            yield from self._predict_many(batch)

    def _matrix(self, texts: list[str]) -> sparse.csr_array:
        """TF-IDF rows of unit length, one for each text."""
        data, cols, indptr = [], [], [0]
        for text in texts:
            for term, n in self.preparer.terms(text).items():
                j = self.index.get(term)
                if j is not None:
                    cols.append(j)
                    data.append((1 + np.log(n)) * self.idf[j])
            indptr.append(len(cols))
        x = sparse.csr_array(
            (np.array(data, dtype=float), np.array(cols, dtype=int), np.array(indptr)),
            shape=(len(texts), len(self.index)),
        )
        norms = np.sqrt(x.multiply(x).sum(axis=1))
        norms[norms == 0] = 1
        return sparse.diags_array(1 / norms) @ x

    def _predict_many(self, texts: list[str]) -> list[Prediction]:
        scores = self._matrix(texts) @ self.coefficients.T + self.intercept
        probs = softmax(scores / self.card["temperature"], axis=1)
        results = []
        for row in probs.tolist():
            best = max(row)
            results.append(
                Prediction(
                    label=self.card["labels"][row.index(best)],
                    confidence=best,
                    probabilities=dict(zip(self.card["labels"], row)),
                    fallback=best < self.card["min_confidence"],
                    model_version=self.card["version"],
                )
            )
        return results


def load_pipeline(model_dir) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file is damaged, was changed, or has a version that this code cannot read.
    """
    model_dir = Path(model_dir)
    card = json.loads((model_dir / "card.json").read_text("utf-8"))
    required = ("format_version", "name", "version", "labels", "temperature", "min_confidence",
                "max_tokens", "sha256")
    if not isinstance(card, dict) or any(k not in card for k in required):
        raise ValueError("card.json is incomplete")
    if card["format_version"] != 1:
        raise ValueError("unknown format_version")

    raw = {}
    for name in ("vocabulary.txt", "weights.npz"):
        raw[name] = (model_dir / name).read_bytes()
        if hashlib.sha256(raw[name]).hexdigest() != card["sha256"].get(name):
            raise ValueError(f"{name}: wrong checksum")

    vocabulary = raw["vocabulary.txt"].decode("utf-8").split("\n")
    if vocabulary[-1] == "":
        vocabulary.pop()
    try:
        npz = np.load(io.BytesIO(raw["weights.npz"]), allow_pickle=False)
        idf, coefficients, intercept = npz["idf"], npz["coefficients"], npz["intercept"]
    except Exception as exc:
        raise ValueError("weights.npz is not readable") from exc
    if coefficients.shape != (len(card["labels"]), len(vocabulary)):
        raise ValueError("coefficients do not fit")
    if idf.shape != (len(vocabulary),) or intercept.shape != (len(card["labels"]),):
        raise ValueError("idf or intercept do not fit")
    return Pipeline(card, vocabulary, idf, coefficients, intercept)
