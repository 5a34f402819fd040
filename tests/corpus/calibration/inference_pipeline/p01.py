"""Serving framework for text classification models."""

from __future__ import annotations

import hashlib
import html
import io
import json
import os
import re
import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Prediction:
    """The answer for one ticket."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


class Step(ABC, Generic[In, Out]):
    """One step of a pipeline."""

    @abstractmethod
    def apply(self, value: In) -> Out: ...


class RegexStep(Step[str, str]):
    def __init__(self, pattern: str, replacement: str) -> None:
        self._pattern = re.compile(pattern)
        self._replacement = replacement

    def apply(self, value: str) -> str:
        return self._pattern.sub(self._replacement, value)


class FunctionStep(Step[str, str]):
    def __init__(self, function: Callable[[str], str]) -> None:
        self._function = function

    def apply(self, value: str) -> str:
        return self._function(value)


class ControlCharacterStep(Step[str, str]):
    def apply(self, value: str) -> str:
        categories = ((c, unicodedata.category(c)) for c in value)
        return "".join(" " if cat == "Cc" else c for c, cat in categories if cat != "Cf")


class TokenizeStep(Step[str, list[str]]):
    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = max_tokens

    def apply(self, value: str) -> list[str]:
        return re.findall(r"\w\w+", value)[: self._max_tokens]


class TermStep(Step[list[str], Counter]):
    def apply(self, value: list[str]) -> Counter:
        return Counter(value + [" ".join(pair) for pair in zip(value, value[1:])])


class VectorizeStep(Step[Counter, np.ndarray]):
    def __init__(self, vocabulary: list[str], idf: np.ndarray) -> None:
        self._columns = {term: i for i, term in enumerate(vocabulary)}
        self._idf = idf

    def apply(self, value: Counter) -> np.ndarray:
        vector = np.zeros(len(self._idf))
        for term, count in value.items():
            column = self._columns.get(term)
            if column is not None:
                vector[column] = (1 + np.log(count)) * self._idf[column]
        return vector / (np.linalg.norm(vector) or 1.0)


class CalibratedScoreStep(Step[np.ndarray, np.ndarray]):
    def __init__(self, weights: dict[str, np.ndarray], temperature: float) -> None:
        self._weights = weights
        self._temperature = temperature

    def apply(self, value: np.ndarray) -> np.ndarray:
        scores = self._weights["coefficients"] @ value + self._weights["intercept"]
        exp = np.exp((scores - scores.max()) / self._temperature)
        return exp / exp.sum()


class PredictionStep(Step[np.ndarray, Prediction]):
    def __init__(self, card: dict[str, Any]) -> None:
        self._card = card

    def apply(self, value: np.ndarray) -> Prediction:
        best = int(value.argmax())
        return Prediction(
            label=self._card["labels"][best],
            confidence=float(value[best]),
            probabilities=dict(zip(self._card["labels"], value.tolist())),
            fallback=bool(value[best] < self._card["min_confidence"]),
            model_version=self._card["version"],
        )


class StepChain(Step[Any, Any]):
    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps

    def apply(self, value: Any) -> Any:
        for step in self._steps:
            value = step.apply(value)
        return value


class StepFactory:
    """Creates the steps of the model card."""

    def create_preprocessing(self) -> list[Step]:
        return [
            RegexStep(r"<[^<>]*>", " "),
            FunctionStep(html.unescape),
            FunctionStep(partial(unicodedata.normalize, "NFKC")),
            ControlCharacterStep(),
            FunctionStep(str.casefold),
            RegexStep(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask "),
            RegexStep(r"(?<!\S)\S+@\S+", " mailmask "),
            RegexStep(r"\d+", " nummask "),
        ]

    def create_features(self, card: dict, vocabulary: list[str], weights: dict) -> list[Step]:
        return [TokenizeStep(card["max_tokens"]), TermStep(), VectorizeStep(vocabulary, weights["idf"])]

    def create_model(self, card: dict, weights: dict) -> list[Step]:
        return [CalibratedScoreStep(weights, card["temperature"]), PredictionStep(card)]


class ModelRepository:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_card(self) -> dict[str, Any]:
        card = json.loads((self._folder / "card.json").read_text("utf-8"))
        keys = "format_version name version labels temperature min_confidence max_tokens sha256"
        if not isinstance(card, dict) or not set(keys.split()) <= set(card):
            raise ValueError("invalid card")
        if card["format_version"] != 1:
            raise ValueError("invalid format_version")
        return card

    def get_file(self, name: str, card: dict[str, Any]) -> bytes:
        data = (self._folder / name).read_bytes()
        if hashlib.sha256(data).hexdigest() != card["sha256"].get(name):
            raise ValueError(f"invalid checksum of {name}")
        return data


class PipelineBuilder:
    def __init__(self, repository: ModelRepository, factory: StepFactory) -> None:
        self._repository = repository
        self._factory = factory

    def build(self) -> Pipeline:
        card = self._repository.get_card()
        vocabulary = self._repository.get_file("vocabulary.txt", card).decode().rstrip("\n").split("\n")
        try:
            npz = np.load(io.BytesIO(self._repository.get_file("weights.npz", card)))
            weights = {n: npz[n] for n in ("idf", "coefficients", "intercept")}
        except (KeyError, OSError) as e:
            raise ValueError("invalid weights") from e
        if weights["coefficients"].shape != (len(card["labels"]), len(vocabulary)):
            raise ValueError("invalid shape")
        return Pipeline(StepChain([
            *self._factory.create_preprocessing(),
            *self._factory.create_features(card, vocabulary, weights),
            *self._factory.create_model(card, weights),
        ]))


class Pipeline:
    """A loaded model that answers tickets."""

    def __init__(self, chain: StepChain) -> None:
        self._chain = chain

    def predict(self, text: str) -> Prediction:
        """Sort one ticket."""
        if not isinstance(text, str):
            raise TypeError("text must be str")
        return self._chain.apply(text)

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, lazily and in their order."""
        if isinstance(texts, (str, bytes)) or not isinstance(batch_size, int):
            raise TypeError("invalid texts or batch_size")
        if batch_size < 1:
            raise ValueError("invalid batch_size")
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"text {i} must be str")
            yield self.predict(text)


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it."""
    return PipelineBuilder(ModelRepository(Path(model_dir)), StepFactory()).build()
