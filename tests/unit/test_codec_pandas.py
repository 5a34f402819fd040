# ruff: noqa: E501 - tables of cases read best with one case a line
"""numpy and pandas through the codec: types, dtypes, labels and missing values stay."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from test_codec_strict import describe

from grader.wire import codec
from grader.wire.values import Handle

NUMPY_DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    hnp.complex_number_dtypes(endianness="?", sizes=(64, 128)),
    hnp.datetime64_dtypes(endianness="?"),
    hnp.timedelta64_dtypes(endianness="?"),
    hnp.unicode_string_dtypes(endianness="?", max_len=4),
    hnp.byte_string_dtypes(endianness="?", max_len=4),
    st.sampled_from([np.dtype("g"), np.dtype("G"), np.dtype("M8[25s]"), np.dtype("m8")]),
)
ARRAYS = hnp.arrays(NUMPY_DTYPES, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))


def round_trip(value: object) -> Any:
    return codec.decode(codec.encode(value))


def assert_same(value: object) -> None:
    assert describe(round_trip(value)) == describe(value)


@pytest.mark.slow
@given(ARRAYS)
@settings(max_examples=400, derandomize=True)
def test_array_comes_back_exactly(array: Any) -> None:
    assert_same(array)


@pytest.mark.slow
@given(ARRAYS.filter(lambda array: array.size))
@settings(max_examples=300, derandomize=True)
def test_numpy_scalar_comes_back_exactly(array: Any) -> None:
    assert_same(array.ravel()[0])


@pytest.mark.parametrize(
    "array",
    [np.array([[1, "a"], [None, [2]]], object), np.asfortranarray(np.arange(6).reshape(2, 3)),
     np.arange(10)[::-2], np.array(["\udc00", ""], object), np.array(["a", "é€\U0001f600"], np.dtypes.StringDType()), np.array(7),
     np.empty((0, 3)), np.array([[1, 2], [3]], object), np.array([np.nan, -0.0, np.inf])],
    ids=lambda array: f"{array.dtype}{array.shape}",
)  # fmt: skip
def test_peculiar_array_comes_back_exactly(array: Any) -> None:
    assert_same(array)


def test_arrays_come_back_writable() -> None:
    array = round_trip(np.zeros(3))
    array[0] = 1
    assert array[0] == 1


def test_padding_of_a_long_double_does_not_cross() -> None:
    noisy = np.frombuffer(b"\xee" * 32, np.longdouble).copy()
    noisy[:] = 1.5
    clean = np.zeros(2, np.longdouble)
    clean[:] = 1.5
    assert codec.encode(noisy) == codec.encode(clean)


@pytest.mark.parametrize(
    "value",
    [np.zeros(2, [("a", "i4")]), np.ma.masked_array([1, 2], [0, 1]), np.array([[1]]).view(np.matrix),
     np.zeros(2, "V3"), np.rec.array([(1,)]), type("Frame", (pd.DataFrame,), {})({"a": [1]}),
     pd.array([[1]], dtype=pd.ArrowDtype(pa.list_(pa.int64())))],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_arrays_that_are_not_data_take_a_handle(value: object) -> None:
    handle = Handle(1, "X", callable=False)
    assert codec.decode(codec.encode([value], handle=lambda _: handle)) == [handle]


def test_frame_that_cannot_cross_takes_one_handle_as_a_whole() -> None:
    frame = pd.DataFrame(
        {"a": [1], "b": pd.array([[1]], dtype=pd.ArrowDtype(pa.list_(pa.int64())))}
    )
    handle = Handle(1, "DataFrame", callable=False)
    assert codec.decode(codec.encode(frame, handle=lambda _: handle)) == handle


# --- pandas: one array of every dtype, put into every place that holds one --------------------

DATES = pd.to_datetime(["2020-03-01 12:00", None, "2020-10-25 00:30"])
MASKED_NAN = pd.array([1.0, 0.0, None], dtype="Float64") / pd.array(
    [1.0, 0.0, 1.0], dtype="Float64"
)
COLUMNS: dict[str, Any] = {
    **{f"{kind}{bits}": pd.array([1, None, 3], dtype=f"{kind}{bits}")
       for kind in ("Int", "UInt") for bits in (8, 16, 32, 64)},
    **{name: np.array([1, 0, 3], name) for name in
       ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "complex64", "complex128"]},
    "Float32": pd.array([1.5, None, 3], dtype="Float32"),
    "Float64 with NaN and NA": MASKED_NAN,
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "float NaN": np.array([np.nan, -0.0, np.inf]),
    "object": np.array([1, "a", None], object),
    "object of str": np.array(["x", "é€", "y"], object),
    **{f"str {storage} {missing}": pd.array(["a", None, "é€"], dtype=pd.StringDtype(storage, na_value=missing))
       for storage in ("python", "pyarrow") for missing in (np.nan, pd.NA)},
    "surrogate": pd.array(["\ud800", None, ""], dtype=pd.StringDtype("python")),
    "category": pd.Categorical(["b", None, "a"], categories=["b", "a", "c"], ordered=True),
    "category int": pd.Categorical([5, 3, None]),
    "category dates": pd.Categorical(DATES),
    "category interval": pd.cut([1, 5, 9], 3),
    "category object": pd.Categorical(["a", 1, None], categories=pd.Index(["a", 1], dtype=object)),
    "category none": pd.Categorical([None, None, None]),
    **{f"datetime {unit}": DATES.as_unit(unit)._data for unit in ("s", "ms", "us", "ns")},
    **{f"zoned {unit}": DATES.as_unit(unit).tz_localize("Europe/Berlin")._data for unit in ("s", "ns")},
    "utc": DATES.tz_localize("UTC")._data,
    "fixed": DATES.tz_localize("+03:00")._data,
    **{f"timedelta {unit}": pd.to_timedelta([1, None, 3], unit="s").as_unit(unit)._data
       for unit in ("s", "ms", "us", "ns")},
    **{f"period {freq}": pd.PeriodIndex(["2020-01-01", None, "2021-07-01"], freq=freq)._data
       for freq in ("M", "Q-DEC", "Y-JUN", "W-SUN", "D", "3h", "min", "ns")},
    **{f"interval {closed}": pd.arrays.IntervalArray.from_tuples([(0.0, 1), None, (2, 3)], closed=closed)
       for closed in ("left", "right", "both", "neither")},
    "interval dates": pd.interval_range(pd.Timestamp("2020", tz="UTC"), periods=3).array,
    "sparse": pd.arrays.SparseArray([0.0, np.nan, 1], fill_value=0.0),
    "sparse block": pd.arrays.SparseArray([0, 0, 1], kind="block"),
    "sparse bool": pd.arrays.SparseArray([True, False, False]),
    **{f"arrow {kind}": pd.array([1, None, 0], dtype=pd.ArrowDtype(kind)) for kind in
       (pa.int8(), pa.int64(), pa.uint16(), pa.float32(), pa.float64(), pa.duration("ms"), pa.date32(),
        pa.timestamp("s"), pa.timestamp("us", "Europe/Berlin"), pa.timestamp("ns", "UTC"))},
    "arrow bool": pd.array([True, None, False], dtype=pd.ArrowDtype(pa.bool_())),
    "arrow string": pd.array(["a", None, "é"], dtype=pd.ArrowDtype(pa.string())),
    "arrow large": pd.array(["a", None, "é"], dtype=pd.ArrowDtype(pa.large_string())),
    "arrow NaN": pd.arrays.ArrowExtensionArray(pa.array([1.0, float("nan"), None], from_pandas=False)),
}  # fmt: skip
every_column = pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)


def _series(column: Any) -> Any:
    return pd.Series(column, dtype=column.dtype, name="é", index=[5, 3, 5], copy=False)


@every_column
def test_bare_array_comes_back_exactly(column: Any) -> None:
    assert_same(column)


@every_column
def test_dtype_comes_back_exactly(column: Any) -> None:
    assert_same(column.dtype)


@every_column
def test_scalar_of_an_array_comes_back_exactly(column: Any) -> None:
    assert_same(list(column))


@every_column
def test_series_comes_back_exactly(column: Any) -> None:
    assert_same(_series(column))


@every_column
def test_sliced_and_empty_series_come_back_exactly(column: Any) -> None:
    assert_same([_series(column)[1:], _series(column)[::-1], _series(column)[:0]])


@every_column
def test_index_comes_back_exactly(column: Any) -> None:
    assert_same(pd.Index(column, dtype=column.dtype, name=("a", 1)))


@every_column
def test_long_series_comes_back_exactly(column: Any) -> None:
    assert_same(pd.concat([_series(column)] * 30))


@every_column
def test_level_of_a_multi_index_comes_back_exactly(column: Any) -> None:
    assert_same(pd.MultiIndex.from_arrays([[1, 2, 2], column], names=["n", None]))


@every_column
def test_column_between_others_comes_back_exactly(column: Any) -> None:
    frame = pd.DataFrame({"x": [1, 2, 3], "y": [0.5, np.nan, 1], "z": [4, 5, 6]})
    frame.insert(1, "c", pd.Series(column, dtype=column.dtype))
    assert_same(frame)


@every_column
def test_bytes_are_the_same_after_a_round_trip(column: Any) -> None:
    data = codec.encode(_series(column))
    assert codec.encode(codec.decode(data)) == data


@pytest.mark.slow
@given(st.data())
@settings(max_examples=250, derandomize=True)
def test_any_frame_comes_back_exactly(data: Any) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(COLUMNS)), max_size=6))
    take = data.draw(st.lists(st.integers(0, 2), max_size=80))
    parts = [pd.Series(COLUMNS[name], dtype=COLUMNS[name].dtype).take(take) for name in names]
    frame = pd.concat(parts, axis=1) if parts else pd.DataFrame(index=range(len(take)))
    label = st.one_of(st.integers(0, 3), st.text(max_size=2), st.none(), st.tuples(st.integers()))
    frame.columns = pd.Index(
        data.draw(st.lists(label, min_size=len(names), max_size=len(names))),
        dtype=object,
        tupleize_cols=False,
    )
    frame.index = data.draw(
        st.sampled_from(
            [
                frame.index,
                pd.RangeIndex(7, 7 + 2 * len(take), 2, name="r"),
                pd.date_range("2020", periods=len(take)),
            ]
        )
    )
    frame.attrs = data.draw(st.sampled_from([{}, {"source": ["x", 1]}]))
    assert_same(frame)


INDEXES = {
    "range": pd.RangeIndex(3, 30, 4, name="r"),
    "negative range": pd.RangeIndex(9, 0, -1),
    "empty": pd.Index([]),
    **{freq: pd.date_range("2020-01-31", periods=4, freq=freq) for freq in
       ("D", "3D", "-2D", "h", "90min", "250ms", "ns", "B", "W-SUN", "ME", "MS", "QE-DEC", "QS-FEB", "YE-DEC",
        "YS-APR", "BME", "BQS-OCT", "SME-15", "WOM-2TUE", "LWOM-FRI")},
    "zoned days over a change of clocks": pd.date_range("2020-03-27", periods=5, freq="D", tz="Europe/Berlin"),
    "zoned hours": pd.date_range("2020-10-25", periods=5, freq="h", tz="Europe/Berlin"),
    "one date": pd.date_range("2020-01-31", periods=1, freq="ME"),
    "no date": pd.date_range("2020", periods=0, freq="D"),
    "timedelta": pd.timedelta_range("1h", periods=3, freq="90min"),
    "timedelta days": pd.timedelta_range("1D", periods=3, freq="2D"),
    "period": pd.period_range("2020", periods=3, freq="2M"),
    "multi": pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", None]),
    "multi with a gap": pd.MultiIndex.from_arrays([["a", None], [1.5, np.nan]]),
    "multi unused": pd.MultiIndex.from_product([["a", "b"], [1, 2]])[:1],
    "multi empty": pd.MultiIndex.from_arrays([[], []], names=["a", "b"]),
}  # fmt: skip
every_index = pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)


@every_index
def test_index_of_each_kind_comes_back_exactly(index: Any) -> None:
    assert_same(index)


@every_index
def test_each_index_labels_rows_and_columns(index: Any) -> None:
    assert_same([pd.DataFrame(0.5, index=index, columns=index), pd.Series(1, index=index)])


def test_unnameable_calendar_loses_only_its_freq() -> None:
    holidays = pd.offsets.CustomBusinessDay(holidays=["2020-01-06"])
    index = pd.date_range("2020", periods=5, freq=holidays)
    assert describe(round_trip(index)) == describe(
        pd.DatetimeIndex(list(index)).as_unit(index.unit)
    )


FRAMES = {
    "empty": pd.DataFrame(),
    "no columns": pd.DataFrame(index=range(5)),
    "no rows": pd.DataFrame({"a": pd.array([], dtype="Int64"), "b": []}),
    "same names": pd.DataFrame([[1, 2.5, "x"]], columns=["a", "a", "a"]),
    "tuples": pd.DataFrame([[1, 2]], columns=pd.Index([("a", 1), ("b",)], tupleize_cols=False)),
    "levels": pd.DataFrame([[1, 2.0]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["k", "n"])),
    "no duplicates": pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False),
    "column name": pd.DataFrame({"a": [1]}).rename_axis(columns="c", index=3),
    "mixed blocks": pd.DataFrame(np.ones((3, 4))).assign(s="x").iloc[:, [4, 0, 2]],
    "transposed": pd.DataFrame({"a": pd.date_range("2020", periods=2, tz="UTC")} | {
        "b": pd.date_range("2021", periods=2, tz="UTC")}).T,
    "nested": pd.DataFrame({"a": [[1], {"b": np.zeros(2)}, pd.DataFrame({"x": [1]})]}),
}  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_peculiar_frame_comes_back_exactly(frame: Any) -> None:
    assert_same(frame)


def test_frame_comes_back_writable() -> None:
    frame = round_trip(pd.DataFrame({"a": [1, 2], "b": [1.5, 2], "c": ["x", "y"]}))
    frame.loc[0, ["a", "b", "c"]] = [7, 8.0, "z"]
    assert frame.iloc[0].tolist() == [7, 8.0, "z"]


def test_decoded_frames_share_no_labels() -> None:
    data = codec.encode(pd.DataFrame({"a": [1]}))
    first, second = codec.decode(data), codec.decode(data)
    first.columns.name = "x"  # type: ignore[attr-defined]
    assert second.columns.name is None  # type: ignore[attr-defined]


def test_what_a_mask_hides_does_not_cross() -> None:
    array = pd.array([1, 77], dtype="Int64")
    array[1] = pd.NA
    array._data[1] = 99
    assert np.int64(99).tobytes() not in codec.encode(array)


def test_text_under_an_arrow_mask_does_not_cross() -> None:
    offsets, text = pa.py_buffer(np.array([0, 1, 7], "i8")), pa.py_buffer(b"asecret")
    hidden = pa.Array.from_buffers(pa.large_string(), 2, [pa.py_buffer(b"\1"), offsets, text])
    data = codec.encode(pd.arrays.ArrowStringArray(hidden))
    assert b"secret" not in data


STAMPS = [
    pd.Timestamp("2020"), pd.Timestamp("2020").as_unit("s"), pd.Timestamp(1, unit="ns"),
    pd.Timestamp("2020-10-25 00:30", tz="UTC").tz_convert("Europe/Berlin"),
    pd.Timestamp("2020-10-25 01:30", tz="UTC").tz_convert("Europe/Berlin"),
    pd.Timestamp("2020-10-25 02:30").replace(fold=1), pd.Timestamp("2020", tz="+05:30"),
    pd.Timedelta(5, "s").as_unit("s"), pd.Timedelta(1, "ns"), pd.Period("2020-02", "M"), pd.Period("2020", "3D"),
    pd.Interval(0, 1.5, "both"), pd.Interval(pd.Timestamp("2020"), pd.Timestamp("2021")), pd.NaT, pd.NA,
]  # fmt: skip


@pytest.mark.parametrize("value", STAMPS, ids=repr)
def test_pandas_scalar_comes_back_exactly(value: object) -> None:
    assert_same(value)


def test_missing_scalars_are_the_singletons() -> None:
    assert [value is same for value, same in zip(round_trip([pd.NA, pd.NaT]), [pd.NA, pd.NaT], strict=True)] == [
        True, True]  # fmt: skip
