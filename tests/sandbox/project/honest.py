"""An honest solution of the probe; attacks replace one of its functions."""

import pathlib

import pandas as pd

calls = 0


def double(x):
    return 2 * x


def count():
    global calls
    calls += 1
    return calls


def refuse(x):
    if x < 0:
        raise ValueError("a negative number")
    return x


def fill(df: pd.DataFrame) -> pd.DataFrame:
    return df.fillna(0.0) if "b" not in df else df.fillna({"a": 0.0})


def first_two(items):
    iterator = iter(items)
    return [next(iterator), next(iterator)]


def sizes(folder):
    return [path.stat().st_size for path in sorted(pathlib.Path(folder).rglob("*.*"))]


class Counter:
    def __init__(self, start):
        self.total = start

    def add(self, number):
        self.total += number
        return self.total

    def __iter__(self):
        return iter(range(3))
