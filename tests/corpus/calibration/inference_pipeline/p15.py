from __future__ import annotations

import hashlib
import html
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Final, Literal, NamedTuple, NewType, TypeAlias, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
Term = NewType("Term", str)
Column = NewType("Column", int)
FileName: TypeAlias = Literal["vocabulary.txt", "weights.npz"]


class Card(TypedDict):
    format_version: int
    name: str
    version: str
    labels: list[str]
    temperature: float
    min_confidence: float
    max_tokens: int
    sha256: dict[FileName, str]


class Prediction(NamedTuple):
    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


FILES: Final[tuple[FileName, ...]] = ("vocabulary.txt", "weights.npz")


class Pipeline:
    def __init__(self, card: Card, lookup: dict[Term, Column], arrays: dict[str, FloatArray]) -> None:
        self.card: Final[Card] = card
        self.lookup: Final[dict[Term, Column]] = lookup
        self.arrays: Final[dict[str, FloatArray]] = arrays

    def predict(self, text: str) -> Prediction:
        result: Prediction | None = None
        for item in self.predict_batch([text] if isinstance(text, str) else cast(list[str], [text]), 1):
            if result is None:
                result = item
        if result is None:
            raise RuntimeError("no result")
        return result

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts")
        if not isinstance(batch_size, int):
            raise TypeError("batch_size")
        if batch_size < 1:
            raise ValueError("batch_size")
        iterator: Iterator[str] = iter(texts)
        done: bool = False
        position: int = 0
        pending: list[tuple[int, str]] = []
        while not done or pending:
            failed: int | None = None
            while not done and len(pending) < batch_size and failed is None:
                try:
                    item: str = next(iterator)
                except StopIteration:
                    done = True
                else:
                    if isinstance(item, str):
                        pending.append((position, item))
                    else:
                        failed = position
                    position += 1
            matrix: FloatArray = np.zeros((len(pending), len(self.lookup)), dtype=np.float64)
            number: int = 0
            while number < len(pending):
                self._fill(matrix, number, pending[number][1], stage=0)
                number += 1
            pending = []
            yield from self._finish(matrix)
            if failed is not None:
                raise TypeError(f"element {failed} is not a str")

    def _fill(self, matrix: FloatArray, number: int, text: str, stage: int) -> None:
        if stage == 0:
            stripped: str = html.unescape(re.sub(r"<[^<>]*>", " ", text))
            self._fill(matrix, number, unicodedata.normalize("NFKC", stripped), stage=1)
        elif stage == 1:
            characters: list[str] = []
            for character in text:
                category: str = unicodedata.category(character)
                replaced: str | None = " " if category == "Cc" else None if category == "Cf" else character
                if replaced is not None:
                    characters.append(replaced)
            self._fill(matrix, number, "".join(characters).casefold(), stage=2)
        elif stage == 2:
            masks: dict[str, str] = {
                r"(?<!\S)(?:https?://|www\.)\S+": "url",
                r"(?<!\S)\S+@\S+": "mail",
                r"\d+": "num",
            }
            for pattern, kind in masks.items():
                text = re.sub(pattern, f" {kind}mask ", text)
            self._fill(matrix, number, text, stage=3)
        else:
            tokens: list[str] = []
            for match in re.finditer(r"\w\w+", text):
                if len(tokens) == self.card["max_tokens"]:
                    break
                tokens.append(match.group())
            previous: str | None = None
            for token in tokens:
                candidates: list[Term] = [Term(token)]
                if previous is not None:
                    candidates.append(Term(f"{previous} {token}"))
                for candidate in candidates:
                    column: Column | None = self.lookup.get(candidate)
                    matrix[number, column if column is not None else 0] += 1.0 if column is not None else 0.0
                previous = token

    def _finish(self, matrix: FloatArray) -> list[Prediction]:
        predictions: list[Prediction] = []
        nonzero: NDArray[np.bool_] = matrix != 0
        matrix[nonzero] = 1.0 + np.log(matrix[nonzero])
        matrix *= self.arrays["idf"]
        for row in matrix:
            length: float = float(np.linalg.norm(row))
            vector: FloatArray = row / (length if length != 0.0 else 1.0)
            logits: FloatArray = (self.arrays["coefficients"] @ vector + self.arrays["intercept"]) / self.card["temperature"]
            exponentials: FloatArray = np.exp(logits - logits.max())
            ordered: list[tuple[str, float]] = [
                (label, float(value)) for label, value in zip(self.card["labels"], exponentials / exponentials.sum())
            ]
            winner: tuple[str, float] = ordered[0]
            for pair in ordered[1:]:
                winner = pair if pair[1] > winner[1] else winner
            predictions.append(
                Prediction(winner[0], winner[1], dict(ordered), winner[1] < self.card["min_confidence"], self.card["version"])
            )
        return predictions


def load_pipeline(model_dir: str | PathLike[str]) -> Pipeline:
    contents: dict[str, bytes] = {}
    for name in ("card.json", *FILES):
        contents[name] = (Path(model_dir) / name).read_bytes()
    parsed: object = json.loads(contents["card.json"])
    if not isinstance(parsed, dict) or not Card.__annotations__.keys() <= parsed.keys():
        raise ValueError("card")
    card: Card = cast(Card, parsed)
    if card["format_version"] != 1:
        raise ValueError("format_version")
    lookup: dict[Term, Column] = {}
    arrays: dict[str, FloatArray] = {}
    for name in FILES:
        if card["sha256"].get(name) != hashlib.sha256(contents[name]).hexdigest():
            raise ValueError(name)
        if name == "vocabulary.txt":
            for line in contents[name].decode("utf-8").split("\n"):
                if line:
                    lookup[Term(line)] = Column(len(lookup))
        else:
            try:
                with np.load(io.BytesIO(contents[name])) as archive:
                    for key in ("idf", "coefficients", "intercept"):
                        arrays[key] = archive[key]
            except Exception as error:
                raise ValueError(name) from error
    sizes: tuple[int, int] = (len(card["labels"]), len(lookup))
    if arrays["coefficients"].shape != sizes or (arrays["intercept"].size, arrays["idf"].size) != sizes:
        raise ValueError("shape")
    return Pipeline(card, lookup, arrays)
