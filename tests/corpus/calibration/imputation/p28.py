import pandas as pd
from pandas.api.types import is_bool_dtype as _b, is_integer_dtype as _i, is_float_dtype as _f

_ok = lambda d: (_i(d) or _f(d)) and not _b(d)


def _chk(x):
    if not isinstance(x, pd.DataFrame):
        raise TypeError(type(x))
    if not x.columns.is_unique:
        raise ValueError("dup")
    return x


def missing_report(df):
    return (_chk(df).isna().agg("sum").astype("int64").to_frame("n_missing")
            .assign(pct_missing=lambda r: r["n_missing"] * (100.0 / (len(df) or 1)),
                    dtype=[str(d) for d in df.dtypes])
            .sort_values("n_missing", ascending=False, kind="stable")
            .pipe(lambda r: r.set_axis(r.index, axis=0)))


def _ff(s, m):
    return (s if m is None or not _ok(s.dtype) or not s.isna().any()
            else s.fillna(m) if _f(s.dtype)
            else s.fillna(int(m)) if m == m // 1
            else s.astype("Float64").fillna(m))


def impute(df):
    return MedianImputer().fit_transform(df)


class MedianImputer:
    _m = None

    def fit(self, df):
        self._m = {k: float(v) for k, v in ((k, s.dropna().median()) for k, s in _chk(df).items()
                                            if _ok(s.dtype) and s.count())}
        return self

    def transform(self, df):
        if self._m is None:
            raise RuntimeError("fit first")
        r = _chk(df).copy()
        for k, s in zip(r.columns, [_ff(df[k], self._m.get(k)) for k in r.columns]):
            r[k] = s
        return r

    fit_transform = lambda self, df: self.fit(df).transform(df)
