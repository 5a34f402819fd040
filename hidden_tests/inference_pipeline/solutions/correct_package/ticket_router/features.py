"""From tokens to weighted terms."""

from __future__ import annotations

from collections import Counter
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class SparseVector(NamedTuple):
    """The entries of a vector that are not zero."""

    columns: NDArray[np.intp]
    values: NDArray[np.float64]


class TfidfVectorizer:
    """TF-IDF of words and pairs of words with sublinear counts."""

    def __init__(self, vocabulary: Sequence[str], idf: NDArray[np.float64]) -> None:
        """Take the terms and, in the same order, their inverse document frequencies."""
        self._columns = {term: column for column, term in enumerate(vocabulary)}
        self._idf = idf

    def vectorize(self, tokens: Sequence[str]) -> SparseVector:
        """Weigh the known terms of a ticket; the result has length 1, or is empty."""
        terms = chain(tokens, map(" ".join, pairwise(tokens)))
        counts = Counter(self._columns[term] for term in terms if term in self._columns)
        columns = np.fromiter(counts.keys(), dtype=np.intp, count=len(counts))
        occurrences = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
        values = (1.0 + np.log(occurrences)) * self._idf[columns]
        length = np.sqrt(values @ values)
        return SparseVector(columns, values / length if length > 0.0 else values)
