"""Ticket routing with dense NumPy batches: t is some thousands, so a batch fits easily."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True)
class Prediction:
    """One routed ticket."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


@dataclass(frozen=True)
class Card:
    """The entries of card.json that the arithmetic needs."""

    version: str
    labels: list[str]
    temperature: float
    min_confidence: float
    max_tokens: int
    sha256: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Card:
        """Read a card; ValueError if it is damaged or of another format."""
        entries = json.loads(path.read_text("utf-8"))
        try:
            version, _ = entries["format_version"], entries["name"]
            card = cls(**{name: entries[name] for name in cls.__dataclass_fields__})
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"{path.name} is no complete card") from error
        if version != 1:
            raise ValueError(f"{path.name} has format {version}, this code reads 1")
        return card


class Pipeline:
    """A model in memory."""

    def __init__(self, card: Card, terms: list[str], weights: dict[str, np.ndarray]) -> None:
        self._card = card
        self._place = {term: place for place, term in enumerate(terms)}
        self._weights = weights

    def predict(self, text: str) -> Prediction:
        """Route one ticket."""
        check_text(text, "the ticket")
        return self._route([text])[0]

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Route tickets in batches; takes one batch at a time from `texts`."""
        if isinstance(texts, str | bytes | bytearray):
            raise TypeError("texts must hold tickets, and is one itself")
        if isinstance(batch_size, bool) or not isinstance(batch_size, int):
            raise TypeError("batch_size must be an int")
        if batch_size < 1:
            raise ValueError("batch_size must be positive")
        batch: list[str] = []
        for position, text in enumerate(texts):
            check_text(text, f"the ticket at position {position}")
            batch.append(text)
            if len(batch) >= batch_size:
                yield from self._route(batch)
                batch.clear()
        if batch:
            yield from self._route(batch)

    def _route(self, texts: list[str]) -> list[Prediction]:
        counts = np.zeros((len(texts), len(self._place)))
        for row, text in enumerate(texts):
            for term in self._terms(text):
                if (place := self._place.get(term)) is not None:
                    counts[row, place] += 1
        weighted = (1 + np.log(counts, out=np.zeros_like(counts), where=counts > 0)) * (counts > 0)
        weighted *= self._weights["idf"]
        lengths = np.linalg.norm(weighted, axis=1, keepdims=True)
        vectors = weighted / np.where(lengths > 0, lengths, 1.0)
        scores = vectors @ self._weights["coefficients"].T + self._weights["intercept"]
        scores /= self._card.temperature
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        table = powers / powers.sum(axis=1, keepdims=True)
        return [self._prediction(row) for row in table.tolist()]

    def _terms(self, text: str) -> list[str]:
        words = clean(text).split(" ")[: self._card.max_tokens]
        return words + [f"{first} {second}" for first, second in zip(words, words[1:])]

    def _prediction(self, shares: list[float]) -> Prediction:
        confidence = max(shares)
        return Prediction(
            label=self._card.labels[shares.index(confidence)],
            confidence=confidence,
            probabilities=dict(zip(self._card.labels, shares, strict=True)),
            fallback=confidence < self._card.min_confidence,
            model_version=self._card.version,
        )


def check_text(text: object, what: str) -> None:
    """TypeError unless it is text."""
    if not isinstance(text, str):
        raise TypeError(f"{what} is a {type(text).__name__}, not a str")


def clean(text: str) -> str:
    """The tokens of a ticket, joined by single spaces."""
    text = re.sub(r"<[^<>]*>", " ", text)
    text = html.unescape(text)
    text = unicodedata.normalize("NFKC", text)
    kinds = {char: unicodedata.category(char) for char in set(text)}
    invisible = {ord(char): None for char, kind in kinds.items() if kind == "Cf"}
    control = {ord(char): " " for char, kind in kinds.items() if kind == "Cc"}
    text = text.translate(invisible | control).casefold()
    text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text)
    text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
    text = re.sub(r"\d+", " nummask ", text)
    return " ".join(re.findall(r"\w\w+", text))


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read, check and keep a model."""
    folder = Path(model_dir)
    card = Card.read(folder / "card.json")
    raw = {}
    for name in ("vocabulary.txt", "weights.npz"):
        raw[name] = (folder / name).read_bytes()
        if card.sha256.get(name) != hashlib.sha256(raw[name]).hexdigest():
            raise ValueError(f"{name} does not have the checksum of the card")
    terms = raw["vocabulary.txt"].decode("utf-8").rstrip("\n").split("\n")
    weights = read_weights(raw["weights.npz"])
    fits = (
        weights["idf"].shape == (len(terms),)
        and weights["intercept"].shape == (len(card.labels),)
        and weights["coefficients"].shape == (len(card.labels), len(terms))
    )
    if not fits:
        raise ValueError("weights.npz does not fit labels and vocabulary")
    return Pipeline(card, terms, weights)


def read_weights(data: bytes) -> dict[str, np.ndarray]:
    """The three arrays of a weights file."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as npz:
            return {name: npz[name] for name in ("idf", "coefficients", "intercept")}
    except (KeyError, EOFError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError("weights.npz cannot be read as plain arrays") from error
