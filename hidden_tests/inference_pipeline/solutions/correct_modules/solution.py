"""Ticket routing: this module is the front; text, model files and arithmetic have their own."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from arithmetic import TicketModel
from files import read_model
from preprocessing import tokenize
from results import Prediction

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

__all__ = ["Pipeline", "Prediction", "load_pipeline"]


class Pipeline:
    """Answers tickets with one model."""

    def __init__(self, model: TicketModel) -> None:
        self._model = model

    def predict(self, text: str) -> Prediction:
        """Answer one ticket; TypeError unless it is a str."""
        if not isinstance(text, str):
            raise TypeError(f"a ticket is a str, not {type(text).__name__}")
        return self._model.answer(tokenize(text, self._model.max_tokens))

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Answer many tickets in their order, reading one batch at a time.

        Raises:
            TypeError: `texts` is one ticket, holds something else, or `batch_size` is no int.
            ValueError: `batch_size` is below 1.
        """
        if isinstance(texts, (str, bytes)):
            raise TypeError("texts is a single ticket")
        if isinstance(batch_size, bool) or not isinstance(batch_size, int):
            raise TypeError("batch_size is no int")
        if batch_size < 1:
            raise ValueError("batch_size is below 1")
        numbered = enumerate(texts)
        while batch := tuple(islice(numbered, batch_size)):
            yield from [self._answer(text, position) for position, text in batch]

    def _answer(self, text: str, position: int) -> Prediction:
        try:
            return self.predict(text)
        except TypeError as error:
            raise TypeError(f"ticket {position}: {error}") from None


def load_pipeline(model_dir: str | os.PathLike[str]) -> Pipeline:
    """Load a checked model into memory; see `files.read_model` for the errors."""
    return Pipeline(TicketModel(*read_model(model_dir)))
