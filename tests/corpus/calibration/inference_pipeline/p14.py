"""Ticket router serving framework."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """The answer for one ticket."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


class TextStep(ABC):
    """One step of the preprocessing."""

    @abstractmethod
    def apply(self, text: str) -> str: ...


class RegexStep(TextStep):
    def __init__(self, pattern: str, replacement: str) -> None:
        self._pattern = re.compile(pattern)
        self._replacement = replacement

    def apply(self, text: str) -> str:
        return self._pattern.sub(self._replacement, text)


@dataclass
class FunctionStep(TextStep):
    function: Callable[[str], str]

    def apply(self, text: str) -> str:
        return self.function(text)


class StepFactory:
    """Creates steps by name."""

    _creators: dict[str, Callable[[], TextStep]] = {}

    @classmethod
    def register(cls, name: str, creator: Callable[[], TextStep]) -> None:
        cls._creators[name] = creator

    @classmethod
    def create(cls, name: str) -> TextStep:
        return cls._creators[name]()


def _strip_controls(text: str) -> str:
    kept = (c for c in text if unicodedata.category(c) != "Cf")
    return "".join(" " if unicodedata.category(c) == "Cc" else c for c in kept)


StepFactory.register("tags", lambda: RegexStep(r"<[^<>]*>", " "))
StepFactory.register("unescape", lambda: FunctionStep(html.unescape))
StepFactory.register("nfkc", lambda: FunctionStep(lambda t: unicodedata.normalize("NFKC", t)))
StepFactory.register("controls", lambda: FunctionStep(_strip_controls))
StepFactory.register("casefold", lambda: FunctionStep(str.casefold))
StepFactory.register("urls", lambda: RegexStep(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask "))
StepFactory.register("mails", lambda: RegexStep(r"(?<!\S)\S+@\S+", " mailmask "))
StepFactory.register("numbers", lambda: RegexStep(r"\d+", " nummask "))


class PreprocessorBuilder:
    """Builds a preprocessor step by step."""

    def __init__(self) -> None:
        self._steps: list[TextStep] = []

    def add(self, name: str) -> PreprocessorBuilder:
        self._steps.append(StepFactory.create(name))
        return self

    def build(self) -> Preprocessor:
        return Preprocessor(self._steps)


class Preprocessor:
    def __init__(self, steps: list[TextStep]) -> None:
        self._steps = steps

    def process(self, text: str) -> str:
        for step in self._steps:
            text = step.apply(text)
        return text


class WordTokenizer:
    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = max_tokens

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"\w\w+", text)[: self._max_tokens]


class Vectorizer:
    def __init__(self, vocabulary: dict[str, int], idf: np.ndarray) -> None:
        self._vocabulary = vocabulary
        self._idf = idf

    def vectorize(self, tokens: list[str]) -> np.ndarray:
        vector = np.zeros(len(self._idf))
        for term in tokens + [" ".join(pair) for pair in zip(tokens, tokens[1:])]:
            if term in self._vocabulary:
                vector[self._vocabulary[term]] += 1
        known = vector > 0
        vector[known] = (1 + np.log(vector[known])) * self._idf[known]
        norm = np.linalg.norm(vector)
        return vector / norm if norm else vector


class TemperatureCalibrator:
    def __init__(self, temperature: float) -> None:
        self._temperature = temperature

    def calibrate(self, scores: np.ndarray) -> np.ndarray:
        scaled = scores / self._temperature
        exp = np.exp(scaled - scaled.max())
        return exp / exp.sum()


class PredictionAssembler:
    def __init__(self, card: dict[str, Any]) -> None:
        self._card = card

    def assemble(self, probabilities: np.ndarray) -> Prediction:
        labels = self._card["labels"]
        best = int(np.argmax(probabilities))
        confidence = float(probabilities[best])
        return Prediction(
            labels[best], confidence, dict(zip(labels, probabilities.tolist())),
            confidence < self._card["min_confidence"], self._card["version"],
        )


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, preprocessor: Preprocessor, tokenizer: WordTokenizer,
                 vectorizer: Vectorizer, coefficients: np.ndarray, intercept: np.ndarray,
                 calibrator: TemperatureCalibrator, assembler: PredictionAssembler) -> None:
        self._preprocessor = preprocessor
        self._tokenizer = tokenizer
        self._vectorizer = vectorizer
        self._coefficients = coefficients
        self._intercept = intercept
        self._calibrator = calibrator
        self._assembler = assembler

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError("text must be str")
        return self._predict(text)

    def _predict(self, text: str) -> Prediction:
        vector = self._vectorizer.vectorize(self._tokenizer.tokenize(self._preprocessor.process(text)))
        scores = self._coefficients @ vector + self._intercept
        return self._assembler.assemble(self._calibrator.calibrate(scores))

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets."""
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts must be an iterable of str")
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"element {position} is not a str")
            yield self._predict(text)


class ModelRepository:
    """Reads the files of a model folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def card(self) -> dict[str, Any]:
        card = json.loads((self._folder / "card.json").read_bytes())
        if not isinstance(card, dict) or card.get("format_version") != 1:
            raise ValueError("card.json is not a card of format 1")
        return card

    def verified(self, name: str, card: dict[str, Any]) -> bytes:
        data = (self._folder / name).read_bytes()
        if hashlib.sha256(data).hexdigest() != card["sha256"][name]:
            raise ValueError(f"{name} is damaged")
        return data


def load_pipeline(model_dir) -> Pipeline:
    """Read a model folder."""
    repository = ModelRepository(Path(model_dir))
    card = repository.card()
    terms = repository.verified("vocabulary.txt", card).decode().rstrip("\n").split("\n")
    weights = np.load(io.BytesIO(repository.verified("weights.npz", card)), allow_pickle=False)
    builder = PreprocessorBuilder()
    for name in ["tags", "unescape", "nfkc", "controls", "casefold", "urls", "mails", "numbers"]:
        builder = builder.add(name)
    return Pipeline(
        builder.build(), WordTokenizer(card["max_tokens"]),
        Vectorizer({term: i for i, term in enumerate(terms)}, weights["idf"]),
        weights["coefficients"], weights["intercept"],
        TemperatureCalibrator(card["temperature"]), PredictionAssembler(card),
    )
