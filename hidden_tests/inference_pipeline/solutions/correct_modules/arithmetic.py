"""From tokens to an answer."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from results import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence


class TicketModel:
    """Multinomial logistic regression over TF-IDF of words and pairs."""

    def __init__(
        self, card: dict[str, Any], terms: Sequence[str], arrays: dict[str, np.ndarray]
    ) -> None:
        self._card = card
        self._columns = {term: column for column, term in enumerate(terms)}
        self._idf = arrays["idf"]
        self._coefficients = arrays["coefficients"].T.copy()
        self._intercept = arrays["intercept"]

    @property
    def max_tokens(self) -> int:
        """How many tokens of a ticket are read."""
        return int(self._card["max_tokens"])

    def answer(self, tokens: Sequence[str]) -> Prediction:
        """The answer for the tokens of one ticket."""
        shares = self._probabilities(tokens)
        best = int(shares.argmax())
        return {
            "label": self._card["labels"][best],
            "confidence": float(shares[best]),
            "probabilities": dict(zip(self._card["labels"], shares.tolist(), strict=True)),
            "fallback": float(shares[best]) < self._card["min_confidence"],
            "model_version": self._card["version"],
        }

    def _probabilities(self, tokens: Sequence[str]) -> np.ndarray:
        terms = Counter([*tokens, *(f"{left} {right}" for left, right in pairwise(tokens))])
        columns = [self._columns[term] for term in terms if term in self._columns]
        counts = np.array([n for term, n in terms.items() if term in self._columns], dtype=float)
        vector = (1.0 + np.log(counts)) * self._idf[columns]
        length = float(np.linalg.norm(vector))
        scores = self._intercept.copy()
        if length:
            scores += (vector / length) @ self._coefficients[columns]
        scaled = scores / self._card["temperature"]
        powers = np.exp(scaled - scaled.max())
        return powers / powers.sum()
