"""Frames that the hidden tests ask about, and the checks that several of them share.

A *probe* is a column such as ``[2, missing, 2]``: whatever statistic fills it, the answer is 2.
With it a test of an unusual column is not passed by returning the argument, and yet a submission
whose only defect is, say, the mean in place of the median loses nothing here.

Values come from the seed wherever a literal is not the point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from grader.judge.compare import assert_frame, assert_kind, assert_value
from grader.judge.errors import CandidateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NAN = float("nan")
PLAIN_WHOLE = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
NULLABLE_WHOLE = ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"]
FRACTIONS = ["float32", "float64", "Float32", "Float64"]
WITH_GAPS = [*FRACTIONS, *NULLABLE_WHOLE]  # the numeric dtypes that can hold one
REPORT_COLUMNS = ["n_missing", "pct_missing", "dtype"]


def cells(values: Sequence[float | None], dtype: str) -> pd.Series:
    """A column of `dtype`, where None is a gap in it."""
    if dtype in ("float32", "float64"):
        return pd.Series(np.array([NAN if cell is None else cell for cell in values], dtype=dtype))
    return pd.Series(pd.array(list(values), dtype=dtype))


def of_dtypes(dtypes: Iterable[str], values: Sequence[float | None]) -> pd.DataFrame:
    """A frame with one column of each dtype, named like it, all of the same values."""
    return pd.DataFrame({dtype: cells(values, dtype) for dtype in dtypes})


def crowded(rng: np.random.Generator) -> pd.DataFrame:
    """The probe, and columns of every numeric dtype, unsorted: complete ones, and some with gaps.

    The mean and the median of each but the probe are equal and whole, whatever its dtype.
    """
    centre, step = int(rng.integers(40, 60)), int(rng.integers(1, 15))
    full = [centre + 2 * step, centre - 2 * step, centre - step, centre + step, centre, centre]
    holes = [centre + step, None, centre - 2 * step, centre - step, centre + 2 * step, centre]
    complete = of_dtypes([*PLAIN_WHOLE, *WITH_GAPS], full)
    gappy = of_dtypes(WITH_GAPS, holes)
    value = number(rng)
    return pd.concat([complete, gappy.add_prefix("gap in ")], axis=1).assign(
        probe=[value, NAN, value] * 2
    )


def number(rng: np.random.Generator, low: int = 1, high: int = 100) -> float:
    """A whole number that fits every numeric dtype."""
    return float(rng.integers(low, high))


def probed(rng: np.random.Generator, **columns: object) -> pd.DataFrame:
    """A three-row frame of `columns` and the probe, last."""
    value = number(rng)
    return pd.DataFrame({**columns, "probe": [value, NAN, value]})


def probe_filled(frame: pd.DataFrame) -> pd.DataFrame:
    """What is due when nothing but the probe is to be filled."""
    return frame.assign(probe=frame["probe"].max())


def assert_cells(actual: object, expected: pd.DataFrame, what: str = "result") -> None:
    """Hold that the cells are right, whatever their dtypes, row labels and the columns' order.

    These are lines of the task sheet with tests of their own; a slip there costs them and nothing
    else.
    """
    assert_frame(
        actual,
        expected=expected,
        check_dtype=False,
        check_index=False,
        check_names=False,
        check_column_order=False,
        what=what,
    )


def assert_numbers(actual: object, expected: pd.DataFrame, what: str = "result") -> None:
    """Hold that the cells of numeric columns are right, whatever became of the others."""
    assert_kind(actual, pd.DataFrame, what)
    due = expected.select_dtypes("number")
    assert_cells(actual.filter(items=list(due.columns)), due, what)


def assert_typed(
    actual: object, expected: pd.DataFrame, what: str = "result", rtol: float = 1e-9
) -> None:
    """Hold that cells and dtypes are right, whatever the row labels and the columns' order."""
    assert_frame(
        actual,
        expected=expected,
        check_index=False,
        check_names=False,
        check_column_order=False,
        rtol=rtol,
        what=what,
    )


def assert_probe(actual: object, frame: pd.DataFrame, what: str = "result") -> None:
    """Hold that the probe of `frame` is filled, whatever became of the columns beside it."""
    assert_kind(actual, pd.DataFrame, what)
    assert_cells(actual.filter(items=["probe"]), probe_filled(frame)[["probe"]], what)


def assert_fills(solution: Any, rng: np.random.Generator) -> None:
    """Hold that ``impute`` works at all, beside a check that doing nothing would pass."""
    frame = probed(rng)
    assert_cells(solution.impute(frame), probe_filled(frame), "a plain frame")


def assert_reports(solution: Any, rng: np.random.Generator) -> None:
    """The same for ``missing_report``."""
    report = solution.missing_report(probed(rng, full=[1, 2, 3]))
    counts = report_column(report, "n_missing").to_dict()
    assert_value(counts, {"probe": 1, "full": 0}, numbers_interchangeable=True)


def fitted(solution: Any, frame: pd.DataFrame) -> Any:
    """A fitted imputer in the candidate's process; what ``fit`` returns does not matter here."""
    imputer = solution.keep.MedianImputer()
    imputer.fit(frame)
    return imputer


def assert_same_report(solution: Any, frame: Any, here: pd.DataFrame, what: str) -> None:
    """Hold that a frame is untouched by what ``missing_report`` says of it.

    A look at an argument reads the submission's own memory, which the submission may arrange; the
    answer to a question about it cannot be arranged so. What the report says is compared with what
    it says of an equal frame, so that a wrong report costs nothing here.

    Args:
        solution: the submission.
        frame: made from `here`, and given to a call since.
        here: the frame as it was.
        what: the subject of the error message.
    """
    try:
        due = solution.missing_report(here)
    except CandidateError:
        return
    if type(due) is pd.DataFrame:
        assert_frame(solution.missing_report(frame), expected=due, what=f"missing_report of {what}")


def report_column(report: object, name: str) -> pd.Series:
    """One column of a report, checked to be one."""
    assert_kind(report, pd.DataFrame, "the report")
    column = report.get(name)
    assert_kind(column, pd.Series, f"the report's column {name}")
    return column


def report_index(report: object) -> list[object]:
    """The columns that a report speaks of, in its order."""
    assert_kind(report, pd.DataFrame, "the report")
    return list(report.index)


def symmetric(rng: np.random.Generator, pairs: int = 6) -> tuple[list[float], float]:
    """Values in random order whose mean and median are the same whole number, and that number."""
    centre = int(rng.integers(-500, 500))
    steps = rng.integers(1, 400, size=pairs)
    values = rng.permutation([centre, *(centre + steps), *(centre - steps)])
    return [float(value) for value in values], float(centre)


def with_gaps(values: list[float], rng: np.random.Generator, gaps: int = 3) -> pd.Series:
    """The values with missing ones strewn in; never first or last."""
    places = rng.integers(1, len(values), size=gaps)
    return pd.Series(np.insert(np.array(values), places, NAN))


def export(rng: np.random.Generator, rows: int = 120) -> pd.DataFrame:
    """Something like the export in the starter, drawn anew for each run."""
    start = pd.Timestamp("2024-03-01")
    hours = pd.to_timedelta(rng.integers(0, 24 * 60, size=rows), unit="h")
    frame = pd.DataFrame(
        {
            "station": [f"S{number:02d}" for number in rng.integers(1, 30, size=rows)],
            "recorded": start + hours,
            "temperature": rng.normal(11, 7, size=rows).round(1),
            "wind": rng.gamma(2.0, 6.0, size=rows),
            "bikes": pd.array(rng.integers(0, 20, size=rows) * 2, dtype="Int64"),
            "docks": rng.integers(10, 40, size=rows),
            "weather": pd.Categorical(rng.choice(["dry", "rain", "snow"], size=rows)),
        }
    )
    shares = {"temperature": 0.2, "wind": 0.1, "weather": 0.05, "recorded": 0.03}
    for label, share in shares.items():
        frame.loc[rng.random(rows) < share, label] = None
    # Even numbers: their median is whole, and the column stays Int64.
    frame["bikes"] = frame["bikes"].mask(rng.random(rows) < 0.15)
    return frame


_number = st.one_of(
    st.integers(-1000, 1000).map(float),
    st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False),
)
_text = st.one_of(st.none(), st.sampled_from(["a", "b", "n/a"]))


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Two to eight rows of two number columns, one text column and one of whole numbers.

    Plain frames: every number column holds a value, no text is blank or looks like a number.
    """
    rows = draw(st.integers(2, 8))

    def column(cells: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(cells, min_size=rows, max_size=rows))

    def numbers() -> pd.Series:
        cells = [draw(_number), *column(st.none() | _number)[1:]]
        return pd.Series(draw(st.permutations(cells)), dtype="float64")

    return pd.DataFrame(
        {
            "a": numbers(),
            "name": pd.Series(column(_text), dtype="str"),
            "b": numbers(),
            "n": pd.Series(column(st.integers(-9, 9)), dtype="int64"),
        }
    )


@st.composite
def symmetric_pairs(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A training frame whose mean and median agree, and a test frame that is far from it."""
    centre = draw(st.integers(-1000, 1000))
    steps = draw(st.lists(st.integers(0, 500), min_size=1, max_size=5))
    pairs = [float(centre + sign * step) for step in steps for sign in (1, -1)]
    train = [*pairs, NAN, float(centre)]
    far = st.one_of(st.none(), st.integers(5000, 9000).map(float))
    test = draw(st.lists(far, min_size=1, max_size=8))
    return (
        pd.DataFrame({"x": pd.Series(train, dtype="float64")}),
        pd.DataFrame({"x": pd.Series(test, dtype="float64")}),
    )
