from __future__ import annotations

import hashlib
import html
import io
import json
import logging
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, Iterator

import numpy as np
import pandas as pd

logger = logging.getLogger(__name__)


@dataclass
class Prediction:
    """Result of one prediction."""

    label: str
    confidence: float
    probabilities: dict
    fallback: bool
    model_version: str


class Pipeline:
    """
    The Pipeline class loads the model from the model directory, validates it, preprocesses the
    texts, computes the TF-IDF weights, computes the scores and returns the predictions.

    Parameters
    ----------
    model_dir : the directory with the model

    Attributes
    ----------
    card : dict with the model card
    vocab : dict with the vocabulary
    weights : dict with the weights
    """

    def __init__(self, model_dir):
        """
        Initialise the pipeline. Read the card, the vocabulary and the weights, check the
        checksums and the shapes and keep everything in memory.

        Raises
        ------
        FileNotFoundError : if a file is missing
        ValueError : if a file is broken
        """
        model_dir = Path(model_dir)
        # card
        if not model_dir.exists():
            raise FileNotFoundError(f"{model_dir} not found")
        card_path = model_dir / "card.json"
        if not card_path.exists():
            raise FileNotFoundError(f"{card_path} not found")
        with open(card_path, "r", encoding="utf-8") as f:
            card_text = f.read()
        try:
            self.card = json.loads(card_text)
        except Exception:
            raise ValueError("card.json is not valid JSON")
        if not isinstance(self.card, dict):
            raise ValueError("card.json is not a dict")
        for k in ["format_version", "name", "version", "labels", "temperature", "min_confidence",
                  "max_tokens", "sha256"]:
            if k not in self.card:
                raise ValueError("card.json: missing " + k)
        if self.card["format_version"] != 1:
            raise ValueError("card.json: format_version must be 1")
        # vocabulary
        vocab_path = model_dir / "vocabulary.txt"
        if not vocab_path.exists():
            raise FileNotFoundError(f"{vocab_path} not found")
        with open(vocab_path, "rb") as f:
            vocab_bytes = f.read()
        if "vocabulary.txt" not in self.card["sha256"]:
            raise ValueError("card.json: no checksum for vocabulary.txt")
        if hashlib.sha256(vocab_bytes).hexdigest() != self.card["sha256"]["vocabulary.txt"]:
            raise ValueError("checksum of vocabulary.txt is wrong")
        vocab_list = vocab_bytes.decode("utf-8").split("\n")
        if vocab_list and vocab_list[-1] == "":
            vocab_list = vocab_list[:-1]
        self.vocab = {}
        for i, t in enumerate(vocab_list):
            self.vocab[t] = i
        # weights
        weights_path = model_dir / "weights.npz"
        if not weights_path.exists():
            raise FileNotFoundError(f"{weights_path} not found")
        with open(weights_path, "rb") as f:
            weights_bytes = f.read()
        if "weights.npz" not in self.card["sha256"]:
            raise ValueError("card.json: no checksum for weights.npz")
        if hashlib.sha256(weights_bytes).hexdigest() != self.card["sha256"]["weights.npz"]:
            raise ValueError("checksum of weights.npz is wrong")
        self.weights = {}
        try:
            npz = np.load(io.BytesIO(weights_bytes), allow_pickle=False)
            for k in ["idf", "coefficients", "intercept"]:
                self.weights[k] = npz[k]
        except Exception as e:
            raise ValueError("weights.npz is broken") from e
        n_vocab = len(vocab_list)
        n_labels = len(self.card["labels"])
        if self.weights["idf"].shape != (n_vocab,):
            raise ValueError("idf has the wrong shape")
        if self.weights["coefficients"].shape != (n_labels, n_vocab):
            raise ValueError("coefficients has the wrong shape")
        if self.weights["intercept"].shape != (n_labels,):
            raise ValueError("intercept has the wrong shape")
        logger.info("model loaded")

    def predict(self, text: str) -> Prediction:
        """
        Predict the label of one text.
        """
        if not isinstance(text, str):
            raise TypeError("text must be a string")
        # preprocessing
        text = re.sub(r"<[^<>]*>", " ", text)
        text = html.unescape(text)
        text = unicodedata.normalize("NFKC", text)
        text = "".join([" " if unicodedata.category(c) == "Cc" else c for c in text])
        text = "".join([c for c in text if unicodedata.category(c) != "Cf"])
        text = text.casefold()
        text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text)
        text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
        text = re.sub(r"\d+", " nummask ", text)
        tokens = re.findall(r"\w\w+", text)
        tokens = tokens[:self.card["max_tokens"]]
        # terms
        terms = list(tokens)
        for i in range(len(tokens) - 1):
            terms.append(tokens[i] + " " + tokens[i + 1])
        # vector
        vec = np.zeros(len(self.vocab))
        for term in terms:
            if term in self.vocab:
                vec[self.vocab[term]] += 1
        mask = vec > 0
        vec[mask] = (1 + np.log(vec[mask])) * self.weights["idf"][mask]
        norm = np.sqrt((vec ** 2).sum())
        if norm > 0:
            vec = vec / norm
        # scores
        scores = self.weights["coefficients"].dot(vec) + self.weights["intercept"]
        scores = scores / self.card["temperature"]
        scores = scores - np.max(scores)
        probs = np.exp(scores) / np.sum(np.exp(scores))
        # result
        probabilities = {}
        for i, label in enumerate(self.card["labels"]):
            probabilities[label] = float(probs[i])
        best = int(np.argmax(probs))
        confidence = float(probs[best])
        return Prediction(self.card["labels"][best], confidence, probabilities,
                          bool(confidence < self.card["min_confidence"]), self.card["version"])

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """
        Predict many texts.

        Parameters
        ----------
        texts : the texts
        batch_size : the size of the batches
        """
        if isinstance(texts, str) or isinstance(texts, bytes):
            raise TypeError("texts must not be a string")
        if isinstance(batch_size, bool) or not isinstance(batch_size, int):
            raise TypeError("batch_size must be int")
        if batch_size < 1:
            raise ValueError("batch_size must be >= 1")
        batch: list[Any] = []
        i = 0
        for text in texts:
            if not isinstance(text, str):
                raise TypeError("text at position " + str(i) + " is not a string")
            batch.append(text)
            i += 1
            if len(batch) == batch_size:
                for t in batch:
                    yield self.predict(t)
                batch = []
        for t in batch:
            yield self.predict(t)


def load_pipeline(model_dir) -> Pipeline:
    """Load the pipeline."""
    return Pipeline(model_dir)
