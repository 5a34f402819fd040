"""The codec beside pickle: ``python benchmarks/codec.py``.

Pickle cannot be used on what a candidate wrote; it is the floor of what a copy costs.
"""

from __future__ import annotations

import pickle
import timeit
from typing import Any

import numpy as np
import pandas as pd

from grader.wire import codec

ROUNDS = 7
SECONDS = 0.1


def mixed_frame(rows: int) -> Any:  # noqa: ANN401 - a DataFrame
    """Build the frame that hidden tests send most: seven columns of six dtypes, with gaps."""
    rng = np.random.default_rng()
    gap = rng.random(rows) < 0.2  # noqa: PLR2004 - a fifth is missing
    numbers = pd.array(rng.integers(0, 99, rows), dtype="Int64")
    numbers[gap] = pd.NA
    text = [None if hole else f"text {at % 50}" for at, hole in enumerate(gap)]
    return pd.DataFrame({
        "x": np.where(gap, np.nan, rng.random(rows)),
        "y": np.where(gap, np.nan, rng.random(rows)),
        "n": np.arange(rows),
        "i": numbers,
        "s": pd.Series(text, dtype="str"),
        "c": pd.Categorical.from_codes(rng.integers(0, 3, rows), ["low", "mid", "high"]),
        "d": pd.date_range("2020", periods=rows, freq="h"),
    })  # fmt: skip


CASES: dict[str, Any] = {
    "int": 1,
    "frame 10 x 7": mixed_frame(10),
    "frame 1,000 x 7": mixed_frame(1000),
    "frame 100,000 x 7": mixed_frame(100_000),
    "array 1,000 x 100": np.ones((1000, 100)),
    "list of 10,000 float": [0.5] * 10_000,
    "list of 10,000 str": [f"label {at}" for at in range(10_000)],
    "1,000 dicts": [{"id": at, "score": at / 7, "label": "a"} for at in range(1000)],
}


def best(call: Any) -> float:  # noqa: ANN401 - a callable
    """Time a call in microseconds: the best of several rounds."""
    timer = timeit.Timer(call)
    number, taken = timer.autorange()
    number = max(1, int(number * SECONDS / taken))
    return min(timer.repeat(ROUNDS, number)) / number * 1e6


def main() -> None:
    """Print one line a case."""
    print(
        f"{'microseconds':24} {'encode':>9} {'decode':>9} {'pickle 5':>9} {'ratio':>6} {'bytes':>9}"
    )
    for name, value in CASES.items():
        data, pickled = codec.encode(value), pickle.dumps(value, 5)
        ours = best(lambda v=value: codec.encode(v)), best(lambda d=data: codec.decode(d))
        theirs = best(lambda v=value: pickle.dumps(v, 5)) + best(lambda d=pickled: pickle.loads(d))  # noqa: S301 - our own bytes
        ratio = sum(ours) / theirs
        print(f"{name:24} {ours[0]:9.1f} {ours[1]:9.1f} {theirs:9.1f} {ratio:6.2f} {len(data):9,}")


if __name__ == "__main__":
    main()
