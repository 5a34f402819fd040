"""Missing values: report them, fill them, and do not leak.

Why two steps
-------------
A model that is trained on March must see April as it will arrive in production. If a gap in April
is filled with a number that was computed from April, then the evaluation knows something that
production will not know. `MedianImputer` therefore separates learning (``fit``) from filling
(``transform``).

What counts as numeric
----------------------
Integers and floats of NumPy and the nullable ones of pandas. Not: flags, durations, categories,
and `object` columns even if all their cells happen to be numbers.

When a dtype changes
--------------------
Only when an integer column has a gap and its median is not whole. It then becomes ``Float64``.
"""

from __future__ import annotations

import pandas as pd


class MedianImputer:
    """Fills numeric gaps with the medians of the frame that it was fitted on.

    Example:
        >>> imputer = MedianImputer().fit(march)
        >>> filled = imputer.transform(april)

    A second call of ``fit`` forgets the first. Results are new frames and share nothing with
    the imputer or the argument.
    """

    def __init__(self, mode: str = "normal", report: bool = False) -> None:
        """Create an imputer that knows nothing yet.

        Args:
            mode: "normal" to fill, "report" to produce the report instead (used internally).
            report: whether ``transform`` returns the report of `missing_report`.
        """
        self.mode = mode
        self.report = report
        self.state = {}

    def fit(self, df: pd.DataFrame, inner: bool = False) -> MedianImputer:
        """Learn the medians of `df` and return this imputer.

        Args:
            df: the training frame.
            inner: set when called by `_run`, which has checked the argument already.

        Raises:
            TypeError: `df` is not a DataFrame.
            ValueError: a column name is repeated.
        """
        if not inner:
            return self._run(df, "fit")
        self.state = {"fitted": True, "medians": {}}
        for c in df.columns:
            d = df[c].dtype
            if pd.api.types.is_integer_dtype(d) or pd.api.types.is_float_dtype(d):
                if df[c].notna().any():
                    self.state["medians"][c] = df[c].median()
        return self

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Return a new frame: `df` with its numeric gaps filled by the learned medians.

        Columns that ``fit`` did not see keep their gaps, because nothing is known about them.

        Raises:
            RuntimeError: ``fit`` was not called before.
            TypeError: `df` is not a DataFrame.
            ValueError: a column name is repeated.
        """
        return self._run(df, "transform")

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from `df`, then fill it. Same as ``fit(df).transform(df)``."""
        return self._run(df, "both")

    def _run(self, df: pd.DataFrame, what: str) -> MedianImputer | pd.DataFrame:
        """Check the argument and do what was asked for.

        Args:
            df: the frame.
            what: "fit", "transform" or "both".

        Returns:
            The imputer for "fit", the report in mode "report", else the filled frame.
        """
        if what == "transform" and self.mode != "report" and not self.state.get("fitted"):
            raise RuntimeError("call fit before transform")
        if not isinstance(df, pd.DataFrame):
            raise TypeError("a DataFrame is needed")
        if not df.columns.is_unique:
            raise ValueError("a column name is repeated")
        if self.mode == "report" or self.report:
            # A frame without rows has 0 percent missing, hence the "or 1".
            r = pd.DataFrame({"n_missing": df.isna().sum().astype("int64")})
            r["pct_missing"] = r["n_missing"] / (len(df) or 1) * 100
            r["dtype"] = df.dtypes.astype(str)
            # "stable" keeps the order of the columns where counts are equal.
            return r.sort_values("n_missing", ascending=False, kind="stable")
        if what in ("fit", "both"):
            self.fit(df, inner=True)
            if what == "fit":
                return self
        out = df.copy()
        for c in out.columns:
            if c in self.state["medians"]:
                d = out[c].dtype
                m = self.state["medians"][c]
                if pd.api.types.is_integer_dtype(d) or pd.api.types.is_float_dtype(d):
                    if out[c].isna().any():
                        if pd.api.types.is_integer_dtype(d):
                            if float(m).is_integer():
                                # Int64.fillna accepts a float only if it is whole
                                out[c] = out[c].fillna(int(m))
                            else:
                                out[c] = out[c].astype("Float64").fillna(m)
                        else:
                            # float32 would become float64 without this
                            out[c] = out[c].fillna(m).astype(d)
        return out


def missing_report(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise how much is missing in each column.

    Returns:
        One row for each column of `df`, indexed by column and most missing first, with
        ``n_missing`` (int64), ``pct_missing`` (float64, 0 to 100) and ``dtype``.
    """
    return MedianImputer(mode="report").transform(df)


def impute(df: pd.DataFrame) -> pd.DataFrame:
    """Return a new frame in which numeric gaps hold the median of their column."""
    return MedianImputer().fit_transform(df)
