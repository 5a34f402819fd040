from __future__ import annotations

import hashlib
import html
import io
import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np

CARD_KEYS = (
    "format_version",
    "name",
    "version",
    "labels",
    "temperature",
    "min_confidence",
    "max_tokens",
    "sha256",
)
SUBSTITUTIONS = [
    (re.compile(r"(?<!\S)(?:https?://|www\.)\S+"), " urlmask "),
    (re.compile(r"(?<!\S)\S+@\S+"), " mailmask "),
    (re.compile(r"\d+"), " nummask "),
]
CATEGORY_REPLACEMENT = {"Cc": " ", "Cf": ""}


@dataclass(frozen=True)
class Prediction:
    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


def normalise(text):
    text = re.sub(r"<[^<>]*>", " ", text)
    text = html.unescape(text)
    text = unicodedata.normalize("NFKC", text)
    text = "".join(CATEGORY_REPLACEMENT.get(unicodedata.category(c), c) for c in text)
    text = text.casefold()
    for pattern, replacement in SUBSTITUTIONS:
        text = pattern.sub(replacement, text)
    return text


def batches(iterable, size):
    iterator = iter(iterable)
    while chunk := list(islice(iterator, size)):
        yield chunk


class Pipeline:
    def __init__(self, card, vocabulary, idf, coefficients, intercept):
        self.labels = card["labels"]
        self.temperature = card["temperature"]
        self.min_confidence = card["min_confidence"]
        self.max_tokens = card["max_tokens"]
        self.version = card["version"]
        self.columns = dict(zip(vocabulary, range(len(vocabulary))))
        self.idf = idf
        self.coefficients = coefficients
        self.intercept = intercept

    def predict(self, text):
        if not isinstance(text, str):
            raise TypeError("text must be a string")
        tokens = re.findall(r"\w\w+", normalise(text))[: self.max_tokens]
        return self.to_prediction(self.score(tokens))

    def predict_batch(self, texts, batch_size=64):
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts must be an iterable of strings")
        if not isinstance(batch_size, int) or isinstance(batch_size, bool):
            raise TypeError("batch_size must be an integer")
        if batch_size < 1:
            raise ValueError("batch_size must be positive")
        return self.iterate(texts, batch_size)

    def iterate(self, texts, batch_size):
        position = 0
        for batch in batches(texts, batch_size):
            for offset, text in enumerate(batch):
                if not isinstance(text, str):
                    raise TypeError(f"text {position + offset} is not a string")
            position += len(batch)
            yield from [self.predict(text) for text in batch]

    def score(self, tokens):
        terms = Counter(tokens)
        terms.update(f"{left} {right}" for left, right in pairwise(tokens))
        known = [(self.columns[term], n) for term, n in terms.items() if term in self.columns]
        if not known:
            return self.intercept
        columns, counts = map(np.array, zip(*known))
        vector = (1 + np.log(counts)) * self.idf[columns]
        vector /= np.linalg.norm(vector)
        return self.coefficients[:, columns] @ vector + self.intercept

    def to_prediction(self, scores):
        scaled = scores / self.temperature
        exponentials = np.exp(scaled - scaled.max())
        probabilities = (exponentials / exponentials.sum()).tolist()
        confidence = max(probabilities)
        return Prediction(
            label=self.labels[probabilities.index(confidence)],
            confidence=confidence,
            probabilities=dict(zip(self.labels, probabilities)),
            fallback=confidence < self.min_confidence,
            model_version=self.version,
        )


def read_card(path):
    card = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(card, dict):
        raise ValueError("card is not an object")
    missing = [key for key in CARD_KEYS if key not in card]
    if missing:
        raise ValueError(f"card lacks {missing}")
    if card["format_version"] != 1:
        raise ValueError("unsupported format_version")
    return card


def read_verified(path, card):
    content = path.read_bytes()
    if card["sha256"].get(path.name) != hashlib.sha256(content).hexdigest():
        raise ValueError(f"{path.name} does not match its checksum")
    return content


def load_pipeline(model_dir):
    folder = Path(model_dir)
    card = read_card(folder / "card.json")
    vocabulary = read_verified(folder / "vocabulary.txt", card).decode("utf-8").rstrip("\n").split("\n")
    content = read_verified(folder / "weights.npz", card)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as npz:
            idf, coefficients, intercept = npz["idf"], npz["coefficients"], npz["intercept"]
    except Exception as error:
        raise ValueError("weights.npz is not readable") from error
    k, t = len(card["labels"]), len(vocabulary)
    if idf.shape != (t,) or coefficients.shape != (k, t) or intercept.shape != (k,):
        raise ValueError("weights do not fit vocabulary and labels")
    return Pipeline(card, vocabulary, idf, coefficients, intercept)
