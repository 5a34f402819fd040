# ruff: noqa: E501 - tables of cases read best with one case a line
"""The check library: what passes, what fails, and how short and quick the failures are."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import time
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from grader.judge.compare import (
    assert_array,
    assert_finite,
    assert_frame,
    assert_kind,
    assert_series,
    assert_value,
)
from grader.wire import codec
from grader.wire.values import Handle, Record

FOO = Handle(1, "Foo", callable=False)
NAN = float("nan")


def message_of(check: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        check(*args, **options)
    return str(caught.value)


# --- kinds ------------------------------------------------------------------------------------

KINDS = [
    (None, "result: expected a DataFrame, got None"),
    (FOO, "result: expected a DataFrame, got an object of type 'Foo'"),
    (pd.Series([1]), "result: expected a DataFrame, got a Series of length 1"),
    (3.0, "result: expected a DataFrame, got a float: 3.0"),
    ("a", "result: expected a DataFrame, got a str: 'a'"),
    (Record("Foo", {"a": 1}), "result: expected a DataFrame, got a record of type 'Foo'"),
]


@pytest.mark.parametrize(("value", "message"), KINDS, ids=lambda value: str(value)[:30])
def test_message_names_the_kind_that_came(value: object, message: str) -> None:
    assert message_of(assert_kind, value, pd.DataFrame) == message


def test_bool_is_no_int() -> None:
    assert message_of(assert_kind, True, int) == "result: expected an int, got a bool: True"


def test_one_of_several_kinds_passes() -> None:
    assert_kind([1], (list, tuple))


def test_name_of_a_class_is_escaped() -> None:
    hostile = Handle(1, "\x1b[2Jx\n::error::\u202e", callable=True)
    assert message_of(assert_kind, hostile, list) == (
        r"result: expected a list, got an object of type '\x1b[2Jx\n::error::\u202e'"
    )


# --- values -----------------------------------------------------------------------------------


class Point(NamedTuple):
    x: int
    y: str


@dataclasses.dataclass
class Prediction:
    label: str
    score: float


EQUAL: list[Any] = [
    None, True, 1, 2**90, 1.5, NAN, float("inf"), 1j, "é", b"x", (1, "a"), [1, [2.0]], {1: "a", "b": [NAN]}, {1, 2},
    frozenset("a"), range(3), slice(1), dt.date(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC), Decimal("NaN"),
    Decimal("sNaN"), np.float32(1), np.datetime64("2020"), np.datetime64("NaT"), np.array([1, NAN]),
    np.array([1, "a", None], object), pd.NA, pd.NaT, pd.Timestamp("2020", tz="UTC"), pd.Interval(0, 1),
    pd.Series([1, NAN]), pd.DataFrame({"a": ["x", None]}), pd.Index(["a"]), np.dtype("i4"), pd.Int64Dtype(), int,
    Point(1, "a"), Prediction("a", 0.5), [Point(1, "a")],
]  # fmt: skip


@pytest.mark.parametrize("value", EQUAL, ids=lambda value: repr(value)[:30])
def test_value_equals_itself_across_the_wire(value: object) -> None:
    assert_value(codec.decode(codec.encode(value)), value)


DIFFERENT: list[tuple[Any, Any, str]] = [
    (True, 1, "expected 1 (int), got True (bool)"),
    (1.0, 1, "expected 1 (int), got 1.0 (float)"),
    (np.float64(1), 1.0, "expected 1.0 (float), got np.float64(1.0) (float64)"),
    ([1], (1,), "expected (1,) (tuple), got [1] (list)"),
    ([1], [1, 2], "expected 2 items, got 1"),
    ([], [1], "expected 1 items, got 0"),
    ([1, 3], [1, 2], "at [1]: expected 2, got 3"),
    ({"a": 1}, {"a": 2}, "at ['a']: expected 2, got 1"),
    ({True: 1}, {1: 1}, "no key 1"),
    ({"a": 1, "b": 1}, {"a": 1}, "expected 1 keys, got 2"),
    ({1, 2, 3}, {1, 2}, "expected 2 members, got 3"),
    ({1, True + 1}, {1, 3}, "no member 3"),
    (NAN, 1.0, "expected 1.0, got nan"),
    (1.0, NAN, "expected nan, got 1.0"),
    (float("inf"), 1.0, "expected 1.0, got inf"),
    (None, NAN, "expected nan (float), got None"),
    (pd.NA, NAN, "expected nan (float), got <NA> (NAType)"),
    (FOO, 1, "expected 1 (int), got an object of type 'Foo'"),
    (Record("int", {"real": 1}), 1, "expected 1 (int), got a record of type 'int'"),
    (Record("X", {"label": "a"}), Prediction("a", 0.5), "at .fields: expected 2 keys, got 1"),
    ("a" * 300, "b", None),
    (dt.time(1), dt.time(1, tzinfo=dt.UTC), None),
    (np.array([1]), np.array([1.0]), "expected dtype float64, got int64"),
    (np.array([1, 2]), np.array([1, 3]), "1 of 2 items differ, the first at [1]: expected 3, got 2"),
    ([pd.Series([1])], [pd.Series([2])], "at [0]: 1 of 1 rows differ, the first at row 0: expected 2, got 1"),
    (pd.Index([1]), pd.Index([2]), None),
    (2**70, 2**70 + 1, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("actual", "expected", "message"), DIFFERENT, ids=lambda value: repr(value)[:30]
)
def test_values_that_differ_fail(actual: object, expected: object, message: str | None) -> None:
    text = message_of(assert_value, actual, expected)
    assert text == f"result: {message}" if message else len(text) < 400


def test_numbers_may_be_interchangeable() -> None:
    assert_value([1, np.float64(2), 3.0], [1.0, 2, np.int8(3)], numbers_interchangeable=True)


def test_bool_is_no_number_even_then() -> None:
    message_of(assert_value, True, 1, numbers_interchangeable=True)


def test_sequences_may_be_interchangeable() -> None:
    assert_value(
        [(1, 2), Record("P", {"x": 1}, is_tuple=True)],
        ((1, 2), [1]),
        sequences_interchangeable=True,
    )


@pytest.mark.parametrize("actual", [1.0 + 2e-6, NAN, float("inf"), -1.0, 10**400])
def test_tolerance_is_a_positive_form(actual: float) -> None:
    message_of(assert_value, actual, 1.0, rtol=1e-6, numbers_interchangeable=True)


def test_tolerance_takes_close_floats() -> None:
    assert_value([1.0 + 1e-7], [1.0], rtol=1e-6)


def test_tolerance_does_not_reach_integers() -> None:
    message_of(assert_value, 101, 100, rtol=0.5)


def test_long_text_fails_quickly_and_briefly() -> None:
    rng = random.Random(1)
    lines = ["\n".join("".join(rng.choices("ab", k=60)) for _ in range(4000)) for _ in range(2)]
    start = time.perf_counter()
    text = message_of(assert_value, *lines)
    assert (len(text) < 300, time.perf_counter() - start < 0.5) == (True, True)


def test_control_characters_are_escaped() -> None:
    text = message_of(assert_value, "\x1b[31m\n\r\x00\u202e", "b")
    assert text.isprintable()


@pytest.mark.parametrize("value", [1 << 100_000, [1] * 10**6, {"k" * 10**6: 1}, "\x00" * 10**6, [[["\n" * 999] * 999]],
                                   Record("R" * 80, {"a": "x" * 9999}), np.full(9999, "\x1b" * 99, object)],
                         ids=lambda value: type(value).__name__)  # fmt: skip
def test_message_is_bounded(value: object) -> None:
    assert len(message_of(assert_value, value, 1, what="x" * 50)) < 300


def test_long_what_is_cut() -> None:
    assert len(message_of(assert_value, 1, 2, what="x" * 9999)) == 2000


# --- frames -----------------------------------------------------------------------------------

FRAME = pd.DataFrame({
    "a": [1.0, NAN, 3.0],
    "n": [1, 2, 3],
    "i": pd.array([1, None, 3], dtype="Int64"),
    "s": ["x", None, "z"],
    "c": pd.Categorical(["p", "q", None]),
    "d": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
    "b": [True, False, True],
    "o": np.array([1, "a", None], object),
}, index=[10, 20, 30])  # fmt: skip


def test_frame_equals_itself_across_the_wire() -> None:
    assert_frame(codec.decode(codec.encode(FRAME)), expected=FRAME)


FORGED: dict[str, tuple[Any, str]] = {
    "scalar": (1.0, "expected a DataFrame, got a float: 1.0"),
    "nothing": (None, "expected a DataFrame, got None"),
    "an object that equals all": (FOO, "expected a DataFrame, got an object of type 'Foo'"),
    "no rows": (FRAME.iloc[:0], "expected 3 rows and 8 columns, got 0 rows and 8 columns"),
    "no columns": (FRAME.iloc[:, :0], "expected 3 rows and 8 columns, got 3 rows and 0 columns"),
    "empty": (pd.DataFrame(), "expected 3 rows and 8 columns, got 0 rows and 0 columns"),
    "too many rows": (pd.concat([FRAME, FRAME]), "expected 3 rows and 8 columns, got 6 rows and 8 columns"),
    "index permuted": (FRAME.set_axis([20, 10, 30]), "index: 2 of 3 labels differ, the first at 0: expected 10, got 20"),
    "rows permuted": (FRAME.iloc[[1, 0, 2]], "index: 2 of 3 labels differ, the first at 0: expected 10, got 20"),
    "index of floats": (FRAME.set_axis([10.0, 20.0, 30.0]), "index: expected dtype int64, got float64"),
    "index reset": (FRAME.reset_index(drop=True), "index: 3 of 3 labels differ, the first at 0: expected 10, got 0"),
    "index named": (FRAME.rename_axis("x"), "index: expected the names [None], got ['x']"),
    "columns permuted": (FRAME[["n", *FRAME.columns.drop("n")]], "columns in another order: at [0]: expected 'a', got 'n'"),
    "column renamed": (FRAME.rename(columns={"a": "A"}), "columns: at [0]: expected 'a', got 'A'"),
    "column twice": (FRAME.rename(columns={"n": "a"}), "columns: at [1]: expected 'n', got 'a'"),
    "NaN everywhere": (FRAME.assign(a=NAN), "2 of 24 cells differ, the first in column 'a', row 10: expected 1.0, got nan"),
    "inf": (FRAME.assign(a=[float("inf"), NAN, 3]), "1 of 24 cells differ, the first in column 'a', row 10: expected 1.0, got inf"),
    "NaN filled": (FRAME.fillna({"a": 2}), "1 of 24 cells differ, the first in column 'a', row 20: expected nan, got 2.0"),
    "object of numbers": (FRAME.astype({"n": object}), "column 'n': expected dtype int64, got object"),
    "Int64 for int64": (FRAME.astype({"n": "Int64"}), "column 'n': expected dtype int64, got Int64"),
    "object for str": (FRAME.astype({"s": object}), "column 's': expected dtype str (pyarrow, nan), got object"),
    "string for str": (FRAME.astype({"s": "string"}), "column 's': expected dtype str (pyarrow, nan), got string (pyarrow, <NA>)"),
    "other categories": (FRAME.assign(c=pd.Categorical(["p", "q", None], ["p", "q", "r"])), "column 'c': expected dtype category (2 categories), got category (3 categories)"),
    "NA moved": (FRAME.assign(i=pd.array([None, 1, 3], dtype="Int64")), "2 of 24 cells differ, the first in column 'i', row 10: expected 1, got <NA>"),
    "text changed": (FRAME.assign(s=["x", None, "y\n"]), r"1 of 24 cells differ, the first in column 's', row 30: expected 'z', got 'y\n'"),
    "a bool in an object": (FRAME.assign(o=np.array([True, "a", None], object)), "1 of 24 cells differ, the first in column 'o', row 10: expected 1, got True"),
}  # fmt: skip


@pytest.mark.parametrize(("actual", "message"), FORGED.values(), ids=FORGED)
def test_forged_frame_fails_with_one_sentence(actual: object, message: str) -> None:
    assert message_of(assert_frame, actual, expected=FRAME) == f"result: {message}"


def test_expected_is_named_at_the_call() -> None:
    with pytest.raises(TypeError, match="positional"):
        assert_frame(FRAME, FRAME)  # type: ignore[misc]


def test_dtypes_may_be_left_out() -> None:
    assert_frame(
        FRAME.astype({"n": float, "i": "Float64", "s": object}), expected=FRAME, check_dtype=False
    )


def test_values_count_without_dtypes() -> None:
    message_of(assert_frame, FRAME.astype({"n": str}), expected=FRAME, check_dtype=False)


def test_bools_are_no_numbers_without_dtypes() -> None:
    message_of(assert_frame, FRAME.assign(b=[1, 0, 1]), expected=FRAME, check_dtype=False)


EQUIVALENT: dict[str, Any] = {"int32": {"n": "int32"}, "Int64": {"n": "Int64"}, "float": {"a": "Float64"},
    "string": {"s": "string"}, "object text": {"s": object}, "boolean": {"b": "boolean"},
    "unit": {"d": "datetime64[ns]"}, "Int32": {"i": "Int32"}, "arrow": {"n": "int64[pyarrow]"}}  # fmt: skip


@pytest.mark.parametrize("change", EQUIVALENT.values(), ids=EQUIVALENT)
def test_equivalent_dtypes_may_pass(change: dict[str, Any]) -> None:
    assert_frame(FRAME.astype(change), expected=FRAME, equivalent_dtypes=True)


@pytest.mark.parametrize(
    "change", [{"n": float}, {"n": object}, {"c": object}, {"a": object}, {"b": int}, {"b": object}]
)
def test_other_families_are_not_equivalent(change: dict[str, Any]) -> None:
    assert "expected dtype" in message_of(
        assert_frame, FRAME.astype(change), expected=FRAME, equivalent_dtypes=True
    )


def test_index_may_be_left_out() -> None:
    assert_frame(FRAME.reset_index(drop=True), expected=FRAME, check_index=False)


def test_number_of_rows_counts_without_the_index() -> None:
    message_of(assert_frame, FRAME.iloc[:2], expected=FRAME, check_index=False)


def test_column_order_may_be_left_out() -> None:
    assert_frame(FRAME[FRAME.columns[::-1]], expected=FRAME, check_column_order=False)


def test_names_may_be_left_out() -> None:
    assert_frame(FRAME.rename_axis("x").rename_axis(columns="y"), expected=FRAME, check_names=False)


def test_range_index_equals_the_same_labels() -> None:
    assert_frame(pd.DataFrame({"a": [1]}, index=pd.Index([0])), expected=pd.DataFrame({"a": [1]}))


def test_levels_are_compared() -> None:
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]])
    other = pd.MultiIndex.from_product([["a", "b"], [1, 3]])
    text = message_of(
        assert_frame, pd.DataFrame(0, other, ["x"]), expected=pd.DataFrame(0, index, ["x"])
    )
    assert text == "result: index: 2 of 4 labels differ, the first at 1: expected 2, got 3"


def test_same_names_of_columns_are_compared_by_place() -> None:
    expected = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert "1 of 2 cells" in message_of(
        assert_frame, pd.DataFrame([[1, 3]], columns=["a", "a"]), expected=expected
    )


@pytest.mark.slow
def test_big_frame_fails_quickly() -> None:
    expected = pd.DataFrame({"a": np.zeros(200_000), "s": ["x"] * 200_000})
    start = time.perf_counter()
    message_of(assert_frame, expected.assign(s="y" * 500), expected=expected)
    assert time.perf_counter() - start < 5


def test_nullable_float_tells_nan_from_na() -> None:
    with_na = pd.Series(pd.array([1.0, None], dtype="Float64"))
    with_nan = pd.Series(pd.arrays.FloatingArray(np.array([1.0, NAN]), np.array([False, False])))
    message_of(assert_series, with_nan, expected=with_na)


# --- series, arrays, vectors ------------------------------------------------------------------

SERIES = pd.Series([1.0, NAN, 3.0], name="y")
FORGED_SERIES: dict[str, tuple[Any, str]] = {
    "frame": (SERIES.to_frame(), "expected a Series, got a DataFrame of shape (3, 1)"),
    "array": (SERIES.to_numpy(), "expected a Series, got a ndarray of shape (3,)"),
    "short": (SERIES[:1], "expected 3 rows, got 1"),
    "name": (SERIES.rename("z"), "expected the name 'y', got 'z'"),
    "shifted": (SERIES.set_axis([1, 2, 3]), "index: 3 of 3 labels differ, the first at 0: expected 0, got 1"),
    "NaN": (SERIES * NAN, "2 of 3 rows differ, the first at row 0: expected 1.0, got nan"),
    "text": (SERIES.astype(str), "expected dtype float64, got str (pyarrow, nan)"),
}  # fmt: skip


def test_series_equals_itself() -> None:
    assert_series(SERIES.copy(), expected=SERIES)


@pytest.mark.parametrize(("actual", "message"), FORGED_SERIES.values(), ids=FORGED_SERIES)
def test_forged_series_fails(actual: object, message: str) -> None:
    assert message_of(assert_series, actual, expected=SERIES) == f"result: {message}"


ARRAY = np.array([[1.0, 2.0], [3.0, NAN]])
FORGED_ARRAYS: dict[str, tuple[Any, str]] = {
    "scalar": (1.0, "expected a ndarray, got a float: 1.0"),
    "zero dimensions": (np.array(1.0), "expected shape (2, 2), got ()"),
    "one cell": (np.array([[1.0]]), "expected shape (2, 2), got (1, 1)"),
    "one row": (np.array([[1.0, 2.0]]), "expected shape (2, 2), got (1, 2)"),
    "flat": (ARRAY.ravel(), "expected shape (2, 2), got (4,)"),
    "object": (ARRAY.astype(object), "expected dtype float64, got object"),
    "NaN": (ARRAY * NAN, "3 of 4 items differ, the first at [0, 0]: expected 1.0, got nan"),
    "list": (ARRAY.tolist(), "expected a ndarray, got a list of length 2"),
}  # fmt: skip


def test_array_equals_itself_in_another_byte_order() -> None:
    assert_array(ARRAY.astype(">f8"), expected=ARRAY)


@pytest.mark.parametrize(("actual", "message"), FORGED_ARRAYS.values(), ids=FORGED_ARRAYS)
def test_forged_array_fails(actual: object, message: str) -> None:
    assert message_of(assert_array, actual, expected=ARRAY) == f"result: {message}"


def test_array_dtypes_may_be_left_out() -> None:
    assert_array(np.array([1, 2]), expected=np.array([1.0, 2.0]), check_dtype=False)


def test_unsigned_and_signed_are_compared_exactly() -> None:
    big = np.array([2**63], "u8")
    message_of(assert_array, np.array([2**63 - 1]), expected=big, check_dtype=False)


@pytest.mark.parametrize("value", [np.ones(3), pd.Series([1, 1, 1]), [1.0, 1, np.float32(1)], (1, 1, 1),
                                   pd.Series([1, 1, 1], dtype="Float64"), np.ones(3, ">f4")],
                         ids=lambda value: type(value).__name__)  # fmt: skip
def test_finite_vector_comes_back_as_float64(value: object) -> None:
    numbers = assert_finite(value, 3)
    assert (numbers.dtype, numbers.tolist()) == (np.float64, [1.0, 1.0, 1.0])


def test_finite_matrix_has_its_shape() -> None:
    assert assert_finite(np.ones((3, 2)), (3, 2)).shape == (3, 2)


NOT_FINITE: list[tuple[Any, str]] = [
    (2.0, "expected an array of numbers, got a float: 2.0"),
    (None, "expected an array of numbers, got None"),
    (FOO, "expected an array of numbers, got an object of type 'Foo'"),
    (np.float64(2), "expected an array of numbers, got a float64: np.float64(2.0)"),
    (np.array(2.0), "expected shape (3,), got ()"),
    (np.ones((3, 1)), "expected shape (3,), got (3, 1)"),
    (np.ones(2), "expected shape (3,), got (2,)"),
    ([], "expected 3 numbers, got 0"),
    ([True, 1, 1], "expected numbers, got True among them"),
    ([1, None, 1], "expected numbers, got None among them"),
    ([10**400, 1, 1], "expected finite numbers, got an int beyond every float"),
    (pd.DataFrame({"a": [1, 2, 3]}), "expected an array of numbers, got a DataFrame of shape (3, 1)"),
    (np.ones(3, bool), "expected numbers, got dtype bool"),
    (np.ones(3, object), "expected numbers, got dtype object"),
    (np.ones(3, complex), "expected numbers, got dtype complex128"),
    (np.array(["1", "2", "3"]), "expected numbers, got dtype <U1"),
    (np.array([1, NAN, NAN]), "expected finite numbers, 2 of 3 are not, the first at 1"),
    (np.array([1, 1, -np.inf]), "expected finite numbers, 1 of 3 are not, the first at 2"),
    ([1.0, NAN, 1.0], "expected finite numbers, 1 of 3 are not, the first at 1"),
    (pd.Series([1, None, 1], dtype="Int64"), "expected finite numbers, 1 of 3 are not, the first at 1"),
    (pd.Series([1, 2, 3], dtype="datetime64[ns]"), "expected numbers, got dtype datetime64[ns]"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "message"), NOT_FINITE, ids=lambda value: repr(value)[:30])
def test_what_is_no_finite_vector_fails(value: object, message: str) -> None:
    assert message_of(assert_finite, value, 3) == f"result: {message}"
