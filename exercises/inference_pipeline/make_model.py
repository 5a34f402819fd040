# ruff: noqa: INP001, T201 - a script beside its output
"""Train the starter's model and write its card, its weights and the labelled sample.

    python exercises/inference_pipeline/make_model.py

The output is in the repository; the script is here so that anyone can see how it came about. The
tickets are drawn by ``hidden_tests/inference_pipeline/tickets.py``: it runs where both folders are.
Another machine's linear algebra may round the weights differently in the last digit.
"""

from __future__ import annotations

import csv
import hashlib
import html
import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parents[2]
OUT = Path(__file__).resolve().parent / "starter"
HIDDEN = ROOT / "hidden_tests" / "inference_pipeline"
sys.path.insert(0, str(HIDDEN))

import tickets  # noqa: E402 - found through the line above

SEED = 20241104
TRAINING, VALIDATION, SAMPLE = 6_000, 3_000, 400
SHARPENED = 3.0  # the scores are over-confident, as those of deep classifiers are
MIN_CONFIDENCE = 0.5
MODEL_FILES = ("card.json", "vocabulary.txt", "weights.npz")
MAX_TOKENS = 256

Vector = np.ndarray[Any, np.dtype[np.float64]]


def preprocess(text: str) -> list[str]:
    """The tokens of a ticket: the preprocessing that the card describes, step by step."""
    text = re.sub(r"<[^<>]*>", " ", text)
    text = html.unescape(text)
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text)
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = text.casefold()
    text = re.sub(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask ", text)
    text = re.sub(r"(?<!\S)\S+@\S+", " mailmask ", text)
    text = re.sub(r"\d+", " nummask ", text)
    return re.findall(r"\w\w+", text)[:MAX_TOKENS]


def train() -> tuple[TfidfVectorizer, LogisticRegression, float, list[tickets.Ticket]]:
    """Fit vectoriser, classifier and temperature; also give the labelled sample.

    Returns:
        The vectoriser, the classifier of 8 classes, the temperature, and the sample's tickets.
    """
    rng = np.random.Generator(np.random.Philox(SEED))
    training, validation, sample = (
        tickets.draw_tickets(rng, count) for count in (TRAINING, VALIDATION, SAMPLE)
    )
    vectorizer = TfidfVectorizer(
        tokenizer=preprocess,
        preprocessor=str,
        token_pattern=None,
        lowercase=False,
        ngram_range=(1, 2),
        min_df=3,
        sublinear_tf=True,
    )
    features = vectorizer.fit_transform([ticket.text for ticket in training])
    classifier = LogisticRegression(C=30.0, max_iter=400)
    classifier.fit(features, [ticket.label for ticket in training])
    classifier.coef_ *= SHARPENED
    classifier.intercept_ *= SHARPENED
    logits = classifier.decision_function(vectorizer.transform([t.text for t in validation]))
    places = [list(classifier.classes_).index(ticket.label) for ticket in validation]

    def loss(temperature: float) -> float:
        scores: Vector = log_softmax(logits / temperature, axis=1)
        return float(-scores[np.arange(len(places)), places].mean())

    found = minimize_scalar(loss, bounds=(0.25, 8.0), method="bounded")
    return vectorizer, classifier, round(float(found.x), 2), sample


def write_model(
    vectorizer: TfidfVectorizer, classifier: LogisticRegression, temperature: float, folder: Path
) -> None:
    """Write ``weights.npz``, ``vocabulary.txt`` and ``card.json``."""
    terms = [str(term) for term in vectorizer.get_feature_names_out()]
    (folder / "vocabulary.txt").write_text("\n".join(terms) + "\n", "utf-8", newline="\n")
    np.savez_compressed(
        folder / "weights.npz",
        idf=vectorizer.idf_.round(6),
        coefficients=classifier.coef_.round(4),
        intercept=classifier.intercept_.round(6),
    )
    card = {
        "format_version": 1,
        "name": "ticket-router",
        "version": "2.3.1",
        "labels": [str(label) for label in classifier.classes_],
        "temperature": temperature,
        "min_confidence": MIN_CONFIDENCE,
        "max_tokens": MAX_TOKENS,
        "sha256": {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in ("vocabulary.txt", "weights.npz")
        },
    }
    (folder / "card.json").write_text(json.dumps(card, indent=2) + "\n", "utf-8", newline="\n")


def write_sample(sample: list[tickets.Ticket], folder: Path) -> None:
    """Write ``tickets.csv``, one labelled ticket a row."""
    with (folder / "tickets.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("text", "label", "language", "channel"))
        writer.writerows((t.text, t.label, t.language, t.channel) for t in sample)


def main() -> None:
    """Write model and sample, the model into the hidden tests too, and print their figures."""
    vectorizer, classifier, temperature, sample = train()
    write_model(vectorizer, classifier, temperature, OUT / "model")
    for name in MODEL_FILES:  # the judge serves its own copy
        (HIDDEN / "model" / name).write_bytes((OUT / "model" / name).read_bytes())
    write_sample(sample, OUT / "data")
    logits = classifier.decision_function(vectorizer.transform([t.text for t in sample]))
    best = classifier.classes_[logits.argmax(axis=1)]
    agree = sum(label == ticket.label for label, ticket in zip(best, sample, strict=True))
    (OUT / "data" / "right.txt").write_text(f"{agree}\n", "utf-8", newline="\n")
    confidence = softmax(logits / temperature, axis=1).max(axis=1)
    right = best == np.array([ticket.label for ticket in sample])
    print(f"{len(vectorizer.vocabulary_)} terms, temperature {temperature}")
    print(f"sample: accuracy {right.mean():.3f}, {(confidence < MIN_CONFIDENCE).mean():.3f} below")


if __name__ == "__main__":
    main()
