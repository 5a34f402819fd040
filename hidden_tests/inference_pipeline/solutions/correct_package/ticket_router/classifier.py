"""From weighted terms to calibrated probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ticket_router.features import SparseVector


class SoftmaxClassifier:
    """Multinomial logistic regression with temperature scaling."""

    def __init__(
        self,
        coefficients: NDArray[np.float64],
        intercept: NDArray[np.float64],
        *,
        temperature: float,
    ) -> None:
        """Take the weights, labels × terms, and the temperature that calibrates them."""
        self._coefficients = coefficients
        self._intercept = intercept
        self._temperature = temperature

    def probabilities(self, vector: SparseVector) -> NDArray[np.float64]:
        """Return the calibrated probability of each label."""
        scores = self._coefficients[:, vector.columns] @ vector.values + self._intercept
        logits = scores / self._temperature
        odds = np.exp(logits - np.max(logits))
        return odds / np.sum(odds)
