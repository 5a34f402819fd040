"""The pipeline: its parts are exchangeable and none of them changes after it is made."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from ticket_router.errors import TicketTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ticket_router.features import SparseVector
    from ticket_router.storage import ModelCard


class Tokenizer(Protocol):
    """Cuts a text into tokens."""

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens in their order."""
        ...


class Vectorizer(Protocol):
    """Turns tokens into a vector."""

    def vectorize(self, tokens: Sequence[str]) -> SparseVector:
        """Return the vector of one ticket."""
        ...


class Classifier(Protocol):
    """Turns a vector into probabilities."""

    def probabilities(self, vector: SparseVector) -> NDArray[np.float64]:
        """Return one probability for each label."""
        ...


@dataclass(frozen=True)
class Prediction:
    """The answer for one ticket.

    Attributes:
        label: the most probable category.
        confidence: its calibrated probability, 0 to 1.
        probabilities: category to calibrated probability, in the order of the card.
        fallback: whether a person should sort the ticket instead.
        model_version: version of the model that answered.
    """

    label: str
    confidence: float
    probabilities: dict[str, float]
    fallback: bool
    model_version: str


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A loaded model that answers tickets."""

    card: ModelCard
    tokenizer: Tokenizer
    vectorizer: Vectorizer
    classifier: Classifier

    def predict(self, text: str) -> Prediction:
        """Sort one ticket.

        Raises:
            TypeError: the ticket is not a str.
        """
        if not isinstance(text, str):
            raise TicketTypeError(f"expected a str, got {type(text).__name__}")
        vector = self.vectorizer.vectorize(self.tokenizer.tokenize(text))
        values = self.classifier.probabilities(vector).tolist()
        probabilities = dict(zip(self.card.labels, values, strict=True))
        label = max(probabilities, key=probabilities.__getitem__)
        return Prediction(
            label=label,
            confidence=probabilities[label],
            probabilities=probabilities,
            fallback=probabilities[label] < self.card.min_confidence,
            model_version=self.card.version,
        )

    def predict_batch(self, texts: Iterable[str], batch_size: int = 64) -> Iterator[Prediction]:
        """Sort many tickets, lazily and in their order.

        Raises:
            TypeError: `texts` is a single string or cannot be iterated over, `batch_size` is not an
                int, or an element of `texts` is not a str (raised when it is reached).
            ValueError: `batch_size` is below 1.
        """
        if type(batch_size) is bool or not isinstance(batch_size, int):
            raise TypeError("batch_size must be an int")
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        if isinstance(texts, (str, bytes)):
            raise TicketTypeError("texts must be several texts, not one")
        return self._predict_lazily(iter(texts), batch_size)

    def _predict_lazily(self, texts: Iterator[str], batch_size: int) -> Iterator[Prediction]:
        start = 0
        while batch := list(islice(texts, batch_size)):
            yield from self._predict_checked(batch, start)
            start += len(batch)

    def _predict_checked(self, batch: list[str], start: int) -> list[Prediction]:
        for position, text in enumerate(batch, start):
            if not isinstance(text, str):
                raise TicketTypeError(f"texts[{position}] is a {type(text).__name__}, not a str")
        return [self.predict(text) for text in batch]
