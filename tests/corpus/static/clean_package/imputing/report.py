"""The report of missing cells."""

import pandas as pd

from . import checks


def missing_report(df):
    """Count and share of missing cells, and the dtype, of each column."""
    checks.require_frame(df)
    missing = df.isna()
    table = {
        "n_missing": missing.sum(),
        "pct_missing": missing.mean() * 100,
        "dtype": df.dtypes.astype(str),
    }
    return pd.DataFrame(table).sort_values("n_missing", ascending=False, kind="stable")
