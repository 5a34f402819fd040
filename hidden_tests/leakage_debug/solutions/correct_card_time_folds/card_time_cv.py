"""A scikit-learn splitter that keeps cards and time apart."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold


class CardTimeKFold:
    """Cross-validation over cards, at one cut in time.

    The cards are shared out over `n_splits` groups. Each group in turn gives the test cards: their
    payments from the cut on are tested on; the other cards' payments before the cut are trained on.

    Parameters
    ----------
    n_splits : int
        Number of groups of cards.
    quantile : float
        Share of the payments before the cut.
    """

    def __init__(self, n_splits: int = 3, quantile: float = 0.55) -> None:
        self.n_splits = n_splits
        self.quantile = quantile

    def split(
        self, X: pd.DataFrame, y: object = None, groups: object = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield positions of training and test rows. `X` needs `card_id` and `paid_at`."""
        before = (X["paid_at"] < X["paid_at"].quantile(self.quantile)).to_numpy()
        folder = GroupKFold(self.n_splits, shuffle=True, random_state=20)
        for others, cards in folder.split(X, groups=X["card_id"]):
            yield others[before[others]], cards[~before[cards]]

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return the number of folds."""
        return self.n_splits
