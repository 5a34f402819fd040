"""My solution for the ticket routing task."""

import hashlib
import html
import json
import math
import os
import re
import unicodedata
from dataclasses import dataclass

import numpy as np


@dataclass
class Prediction:
    """The result for one ticket."""

    label: str
    confidence: float
    probabilities: dict
    fallback: bool
    model_version: str

    def to_dict(self) -> dict:
        """The result as a dictionary, for JSON."""
        return {
            "label": self.label,
            "confidence": self.confidence,
            "probabilities": self.probabilities,
            "fallback": self.fallback,
            "model_version": self.model_version,
        }


class TextCleaner:
    """Does all preprocessing steps of the model card."""

    def __init__(self, max_tokens: int):
        self.max_tokens = max_tokens
        self.tag_pattern = re.compile(r"<[^<>]*>")
        self.url_pattern = re.compile(r"(?<!\S)(?:https?://|www\.)\S+")
        self.mail_pattern = re.compile(r"(?<!\S)\S+@\S+")
        self.number_pattern = re.compile(r"\d+")
        self.token_pattern = re.compile(r"\w\w+")

    def remove_invisible_characters(self, text: str) -> str:
        """Step 4 of the model card."""
        characters = []
        for character in text:
            category = unicodedata.category(character)
            if category == "Cc":
                characters.append(" ")
            elif category != "Cf":
                characters.append(character)
        return "".join(characters)

    def get_tokens(self, text: str) -> list:
        """All steps of the model card, in its order."""
        text = self.tag_pattern.sub(" ", text)
        text = html.unescape(text)
        text = unicodedata.normalize("NFKC", text)
        text = self.remove_invisible_characters(text)
        text = text.casefold()
        text = self.url_pattern.sub(" urlmask ", text)
        text = self.mail_pattern.sub(" mailmask ", text)
        text = self.number_pattern.sub(" nummask ", text)
        tokens = self.token_pattern.findall(text)
        return tokens[: self.max_tokens]


class Pipeline:
    """The loaded model. Use load_pipeline to create one."""

    def __init__(self, card: dict, vocabulary: dict, idf, coefficients, intercept):
        self.card = card
        self.vocabulary = vocabulary
        self.idf = idf
        self.coefficients = coefficients
        self.intercept = intercept
        self.cleaner = TextCleaner(card["max_tokens"])

    def count_terms(self, tokens: list) -> dict:
        """Count the known words and pairs of words."""
        terms = list(tokens)
        for first, second in zip(tokens[:-1], tokens[1:]):
            terms.append(first + " " + second)
        counts = {}
        for term in terms:
            if term in self.vocabulary:
                column = self.vocabulary[term]
                counts[column] = counts.get(column, 0) + 1
        return counts

    def calculate_scores(self, tokens: list) -> np.ndarray:
        """Calculate the score of each label."""
        counts = self.count_terms(tokens)
        if len(counts) == 0:
            return self.intercept
        columns = sorted(counts)
        values = np.array([1.0 + math.log(counts[column]) for column in columns])
        values = values * self.idf[columns]
        values = values / np.linalg.norm(values)
        return np.dot(self.coefficients[:, columns], values) + self.intercept

    def calculate_probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Softmax with the temperature of the card."""
        scaled = scores / self.card["temperature"]
        exponentials = np.exp(scaled - np.max(scaled))
        return exponentials / np.sum(exponentials)

    def predict(self, text: str) -> Prediction:
        """Predict the label of one ticket."""
        if not isinstance(text, str):
            raise TypeError("The ticket must be a string, but it is " + str(type(text)))
        tokens = self.cleaner.get_tokens(text)
        probabilities = self.calculate_probabilities(self.calculate_scores(tokens))
        best = int(np.argmax(probabilities))
        confidence = float(probabilities[best])
        by_label = {}
        for label, probability in zip(self.card["labels"], probabilities):
            by_label[label] = float(probability)
        return Prediction(
            label=self.card["labels"][best],
            confidence=confidence,
            probabilities=by_label,
            fallback=confidence < self.card["min_confidence"],
            model_version=self.card["version"],
        )

    def predict_batch(self, texts, batch_size: int = 64):
        """Predict the labels of many tickets, batch by batch."""
        if isinstance(texts, str) or isinstance(texts, bytes):
            raise TypeError("texts must be a list of tickets, not one ticket")
        if isinstance(batch_size, bool) or not isinstance(batch_size, int):
            raise TypeError("batch_size must be an integer")
        if batch_size < 1:
            raise ValueError("batch_size must be 1 or larger")
        position = 0
        batch = []
        for text in texts:
            if not isinstance(text, str):
                raise TypeError("The ticket at position " + str(position) + " is not a string")
            batch.append(text)
            position = position + 1
            if len(batch) == batch_size:
                for ticket in batch:
                    yield self.predict(ticket)
                batch = []
        for ticket in batch:
            yield self.predict(ticket)


def read_file(model_dir, name: str) -> bytes:
    """Read a file of the model folder."""
    path = os.path.join(model_dir, name)
    if not os.path.isfile(path):
        raise FileNotFoundError("The model file " + str(path) + " does not exist")
    with open(path, "rb") as file:
        return file.read()


def read_card(model_dir) -> dict:
    """Read and check the card."""
    content = read_file(model_dir, "card.json")
    try:
        card = json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError("card.json is not valid JSON") from error
    if not isinstance(card, dict):
        raise ValueError("card.json must contain an object")
    needed = ["format_version", "name", "version", "labels"]
    needed = needed + ["temperature", "min_confidence", "max_tokens", "sha256"]
    for key in needed:
        if key not in card:
            raise ValueError("card.json has no entry " + key)
    for name in ["weights.npz", "vocabulary.txt"]:
        if name not in card["sha256"]:
            raise ValueError("card.json has no checksum for " + name)
    if card["format_version"] != 1:
        raise ValueError("This code can only read format_version 1")
    return card


def read_checked_file(model_dir, name: str, card: dict) -> bytes:
    """Read a file and compare its checksum."""
    content = read_file(model_dir, name)
    if hashlib.sha256(content).hexdigest() != card["sha256"][name]:
        raise ValueError("The checksum of " + name + " is wrong")
    return content


def read_array(path, name: str, shape: tuple) -> np.ndarray:
    """Read one array and check its shape."""
    try:
        with np.load(path, allow_pickle=False) as file:
            array = file[name]
    except Exception as error:
        raise ValueError("weights.npz has no readable array " + name) from error
    if array.shape != shape:
        raise ValueError("The array " + name + " has a wrong shape")
    return array


def load_pipeline(model_dir) -> Pipeline:
    """Load the model from a folder and check everything."""
    card = read_card(model_dir)
    read_checked_file(model_dir, "weights.npz", card)
    content = read_checked_file(model_dir, "vocabulary.txt", card)
    vocabulary = {}
    for term in content.decode("utf-8").splitlines():
        vocabulary[term] = len(vocabulary)
    labels = len(card["labels"])
    terms = len(vocabulary)
    path = os.path.join(model_dir, "weights.npz")
    idf = read_array(path, "idf", (terms,))
    coefficients = read_array(path, "coefficients", (labels, terms))
    intercept = read_array(path, "intercept", (labels,))
    return Pipeline(card, vocabulary, idf, coefficients, intercept)
