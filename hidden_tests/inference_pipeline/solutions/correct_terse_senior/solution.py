"""Ticket routing."""

import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from itertools import pairwise
from os import PathLike
from pathlib import Path
from unicodedata import category, normalize
from zipfile import BadZipFile

import numpy as np

MASKS = {r"(?<!\S)(?:https?://|www\.)\S+": "url", r"(?<!\S)\S+@\S+": "mail", r"\d+": "num"}
KEYS = {"format_version", "name", "version", "labels", "temperature", "min_confidence", "max_tokens", "sha256"}


@dataclass(frozen=True)
class Prediction:
    """One answer."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


def tokens(text: str) -> list[str]:
    """Tokens as in the card."""
    text = normalize("NFKC", unescape(re.sub("<[^<>]*>", " ", text)))
    text = "".join({"Cc": " ", "Cf": ""}.get(category(c), c) for c in text).casefold()
    for pattern, kind in MASKS.items():
        text = re.sub(pattern, f" {kind}mask ", text)
    return re.findall(r"\w\w+", text)


@dataclass(frozen=True)
class Pipeline:
    """A model, ready."""

    card: dict
    columns: dict[str, int]
    idf: np.ndarray
    coefficients: np.ndarray
    intercept: np.ndarray

    def predict(self, text: str) -> Prediction:
        """Answer one ticket."""
        if not isinstance(text, str):
            raise TypeError(f"want str, got {type(text).__name__}")
        words = tokens(text)[: self.card["max_tokens"]]
        n = Counter(t for t in [*words, *map(" ".join, pairwise(words))] if t in self.columns)
        at = [self.columns[t] for t in n]
        x = (1 + np.log(np.fromiter(n.values(), float))) * self.idf[at]
        z = self.coefficients[:, at] @ (x / (np.sqrt(x @ x) or 1)) + self.intercept
        p = np.exp((z - z.max()) / self.card["temperature"])
        p /= p.sum()
        top = float(p.max())
        labels = self.card["labels"]
        return Prediction(
            labels[p.argmax()], top, dict(zip(labels, p.tolist())), top < self.card["min_confidence"], self.card["version"]
        )

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Answer many; each on its own, so batch_size is only checked."""
        if isinstance(texts, str | bytes) or type(batch_size) is not int:
            raise TypeError("want an iterable of str and an int")
        if batch_size < 1:
            raise ValueError("batch_size < 1")
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"text {i} is {type(text).__name__}")
            yield self.predict(text)


def load_pipeline(model_dir: str | PathLike[str]) -> Pipeline:
    """Load, or say why not."""
    path = Path(model_dir)
    card = json.loads((path / "card.json").read_bytes())
    if not isinstance(card, dict) or KEYS - card.keys() or card["format_version"] != 1:
        raise ValueError("card.json: not a card of format 1")
    files = {name: (path / name).read_bytes() for name in ("weights.npz", "vocabulary.txt")}
    if bad := [name for name, data in files.items() if card["sha256"].get(name) != sha256(data).hexdigest()]:
        raise ValueError(f"checksum: {bad}")
    terms = files["vocabulary.txt"].decode().splitlines()
    shapes = {"idf": (len(terms),), "coefficients": (len(card["labels"]), len(terms)), "intercept": (len(card["labels"]),)}
    try:
        with np.load(io.BytesIO(files["weights.npz"])) as npz:
            arrays = {name: npz[name] for name in shapes}
    except (KeyError, OSError, EOFError, BadZipFile) as error:
        raise ValueError("weights.npz: unreadable") from error
    if any(arrays[name].shape != shape for name, shape in shapes.items()):
        raise ValueError("weights.npz: shapes")
    return Pipeline(card, {t: i for i, t in enumerate(terms)}, **arrays)
