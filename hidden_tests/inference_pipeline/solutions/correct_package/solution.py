"""Serve the ticket router. The parts are in the package `ticket_router` beside this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticket_router.classifier import SoftmaxClassifier
from ticket_router.features import TfidfVectorizer
from ticket_router.pipeline import Pipeline, Prediction
from ticket_router.storage import read_model
from ticket_router.text import CardTokenizer

if TYPE_CHECKING:
    import os

__all__ = ["Pipeline", "Prediction", "load_pipeline"]


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Read a model folder, check it and return a pipeline that serves it.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file is damaged, was changed, or has a version that this code cannot read.
    """
    card, vocabulary, weights = read_model(model_dir)
    return Pipeline(
        card=card,
        tokenizer=CardTokenizer(max_tokens=card.max_tokens),
        vectorizer=TfidfVectorizer(vocabulary, weights.idf),
        classifier=SoftmaxClassifier(
            weights.coefficients, weights.intercept, temperature=card.temperature
        ),
    )
