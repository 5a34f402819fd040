"""How much is missing?"""

from __future__ import annotations

import logging

import pandas as pd

from .validation import check_frame

logger = logging.getLogger(__name__)


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column.

    :param df: the frame to summarise; it stays as it is.
    :returns: one row for each column of `df`, most missing first, with ``n_missing``,
        ``pct_missing`` (0 to 100) and ``dtype`` (the dtype's name).
    """
    check_frame(df)
    n_rows = len(df)
    counts = [int(column.isna().sum()) for _, column in df.items()]
    # sorted() is stable, also in reverse: ties keep the order of df.
    order = sorted(range(len(counts)), key=counts.__getitem__, reverse=True)
    rows = [
        (counts[i], 100 * counts[i] / n_rows if n_rows else 0.0, str(df.dtypes.iloc[i]))
        for i in order
    ]
    logger.debug("%d of %d columns have gaps", sum(map(bool, counts)), len(counts))
    report = pd.DataFrame.from_records(rows, columns=["n_missing", "pct_missing", "dtype"])
    report = report.astype({"n_missing": "int64", "pct_missing": "float64", "dtype": "object"})
    return report.set_axis(df.columns.take(order), axis="index")
