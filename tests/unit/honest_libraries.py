"""What submissions may do with the libraries that there are; the audit hook reports none of it.

Processes are not among it: `correct_parallel_search` of leakage_debug has them in the sandbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import locale
import logging
import sqlite3
import string
import tempfile
import tracemalloc
import uuid
import warnings
import zipfile
import zoneinfo
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata, resources
from pathlib import Path

import joblib
import matplotlib as mpl
import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from matplotlib import pyplot as plt
from scipy import interpolate, optimize, sparse, spatial, stats
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import KNNImputer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, export_text
from sklearn.utils.discovery import all_estimators

DRAW = np.random.default_rng(0)
X = DRAW.random((60, 4))
Y = (X[:, 0] > 0.7).astype(int)


def square(value: int) -> int:
    """Return the square."""
    return value * value


def neighbours() -> None:
    """Ask for neighbours, which asks how many threads there are."""
    KMeans(2, n_init=1).fit(X)
    DBSCAN().fit(X)
    KNeighborsClassifier().fit(X, Y).predict(X)
    KNNImputer().fit_transform(np.where(X > 0.9, np.nan, X))
    make_pipeline(SMOTE(), LogisticRegression()).fit(X, Y)


def threads() -> None:
    """Work in threads."""
    joblib.Parallel(2, prefer="threads")(joblib.delayed(square)(number) for number in range(4))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(square, range(4)))


def search() -> None:
    """Look for the best of some models."""
    grid = {"max_depth": [2, 3]}
    GridSearchCV(HistGradientBoostingClassifier(max_iter=3), grid, cv=2).fit(X, Y)
    tree = DecisionTreeClassifier(max_depth=2).fit(*load_iris(return_X_y=True))
    export_text(tree)
    permutation_importance(tree, *load_iris(return_X_y=True), n_repeats=2)
    TfidfVectorizer().fit(["a word", "other words"])
    make_classification(20)
    repr(tree)


def plots() -> None:
    """Draw."""
    mpl.use("Agg")
    figure, axes = plt.subplots()
    axes.plot([1, 2], [3, 4])
    for kind in ("png", "svg"):
        figure.savefig(io.BytesIO(), format=kind)
    pd.DataFrame({"a": [1, 2]}).plot()
    plt.close("all")


def frames() -> None:
    """Read, ask and write frames."""
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})
    frame.query("a > 1").eval("c = a * 2").describe(include="all")
    for written in (frame.to_json, frame.to_csv, frame.to_html):
        written()
    frame.to_parquet(io.BytesIO())
    frame.convert_dtypes(dtype_backend="pyarrow")
    frame.astype({"a": "Int64", "b": "string"}).groupby("b", dropna=False).agg(rows=("a", "size"))
    pd.read_csv(io.StringIO("a,b\n1,2"))
    pd.merge_asof(frame, frame, on="a")
    pd.to_datetime(["2024-01-01"]).tz_localize("Europe/Berlin")
    with contextlib.closing(sqlite3.connect(":memory:")) as base:
        frame.to_sql("t", base)


def files() -> None:
    """Keep things in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        joblib.dump(LogisticRegression().fit(X, Y), folder / "model.joblib")
        np.save(folder / "x.npy", X)
        np.load(folder / "x.npy", mmap_mode="r")
        joblib.Memory(folder, verbose=0).cache(square)(3)
        with zipfile.ZipFile(folder / "a.zip", "w") as archive:
            archive.writestr("a", "b")
        with gzip.open(folder / "a.gz", "wt") as file:
            file.write("a")


def science() -> None:
    """Compute with SciPy and NumPy."""
    optimize.minimize(lambda v: (v**2).sum(), np.ones(2))
    stats.norm.fit(X[:, 0])
    stats.ks_2samp(X[:, 0], X[:, 1])
    stats.bootstrap((X[:, 0],), np.mean, n_resamples=9)
    sparse.csr_matrix(np.eye(3)) @ np.ones(3)
    spatial.cKDTree(X).query(X[0])
    interpolate.make_interp_spline(np.arange(5.0), np.arange(5.0))(2.5)
    np.lib.stride_tricks.sliding_window_view(X, 3, axis=0)
    np.einsum("ij,jk", np.eye(2), np.eye(2))
    np.vectorize(square)(np.arange(3))


def library() -> None:
    """Use the standard library."""
    asyncio.run(asyncio.sleep(0))
    metadata.version("numpy")
    resources.files("sklearn")
    logging.getLogger(__name__).info("x")
    tracemalloc.start()
    tracemalloc.stop()
    zoneinfo.ZoneInfo("Europe/Berlin")
    locale.setlocale(locale.LC_ALL, "C")
    string.Template("$a").substitute(a=1)
    uuid.uuid4()


def estimators() -> None:
    """Fit each estimator of scikit-learn that needs no argument, and ask it for what it has."""
    for _, kind in all_estimators():
        with contextlib.suppress(Exception):
            model = kind().fit(X, Y)
            for asked in ("predict", "transform", "predict_proba"):
                if hasattr(model, asked):
                    getattr(model, asked)(X)


warnings.simplefilter("ignore")
for use in (neighbours, threads, search, plots, frames, files, science, library, estimators):
    use()
