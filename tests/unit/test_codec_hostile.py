# ruff: noqa: E501 - tables of cases read best with one case a line
"""Hostile bytes: the decoder gives a value or a `DecodeError`, and stays small and quick."""

from __future__ import annotations

import datetime as dt
import pathlib
import random
import struct
import time
import tracemalloc
import zoneinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grader.wire import codec
from grader.wire._decode import FREE_ITEMS, MAX_WORK, WORK_CALENDAR
from grader.wire._tags import VERSION, Ext, Pack, Tag, Text, Zone
from grader.wire.values import FileTree, Handle, Recipe, Record, Stream


def u32(number: int) -> bytes:
    return struct.pack("<I", number)


def u64(number: int) -> bytes:
    return struct.pack("<Q", number)


def name(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def payload(*parts: int | bytes) -> bytes:
    return bytes([VERSION]) + b"".join(
        bytes([part]) if isinstance(part, int) else part for part in parts
    )


def inner(value: object) -> bytes:
    return codec.encode(value)[1:]


def vector(array: Any) -> bytes:
    """An array as it stands inside another payload, without its tag."""
    return inner(np.asarray(array))[1:]


INDEX_AB = inner(pd.Index(["a", "b"]))
CATEGORY_AB = bytes([Tag.EXT_ARRAY, Ext.CATEGORY, 0]) + INDEX_AB
LIST_1 = bytes([Tag.LIST, Pack.ITEMS]) + u32(1)
EMPTY_KEYS = bytes([Pack.ITEMS]) + u32(0)


def frame(index: bytes, columns: bytes, *blocks: tuple[list[int], bytes]) -> bytes:
    body = b"".join(
        u32(len(places)) + b"".join(map(u32, places)) + values for places, values in blocks
    )
    return payload(Tag.FRAME, 1, Tag.NONE, index, columns, u32(len(blocks)), body)


RANGE_2 = inner(pd.RangeIndex(2))
ONES = inner(np.ones((1, 2)))
HOSTILE = {
    "nothing": b"",
    "a version only": bytes([VERSION]),
    "another version": b"\x07\x00",
    "an unknown tag": payload(255),
    "bytes behind the value": payload(Tag.NONE, 0),
    "a pickle": b"\x80\x05cos\nsystem\n(S'id'\ntR.",
    "an Arrow stream": b"\xff\xff\xff\xff\xe0\x00\x00\x00" + b"\x10\x00" * 100,
    "a list longer than the bytes": payload(Tag.LIST, Pack.ITEMS, u32(2**32 - 1)),
    "packed ints longer than the bytes": payload(Tag.LIST, Pack.INT, u32(2**29), bytes(8)),
    "text longer than the bytes": payload(Tag.STR, u32(2**31), b"a"),
    "invalid UTF-8": payload(Tag.STR, u32(1), b"\xff"),
    "overlong UTF-8": payload(Tag.STR, u32(2), b"\xc0\x80"),
    "packed text that does not add up": payload(Tag.LIST, Pack.STR, u32(2), u32(1), u32(9), u32(1), b"a"),
    "an unknown packing": payload(Tag.LIST, 9, u32(0)),
    "a packed bool of 2": payload(Tag.LIST, Pack.BOOL, u32(1), 2),
    "too deep": payload(LIST_1 * 65, Tag.NONE),
    "deep enough for the stack": payload(LIST_1 * 100_000, Tag.NONE),
    "a key twice": payload(Tag.DICT, Pack.INT, u32(2), bytes(16), Pack.INT, u32(2), bytes(16)),
    "keys equal across types": payload(Tag.DICT, Pack.ITEMS, u32(2), inner(1), inner(1.0), Pack.INT, u32(2), bytes(16)),
    "a key without a value": payload(Tag.DICT, Pack.INT, u32(1), bytes(8), EMPTY_KEYS),
    "an unhashable key": payload(Tag.DICT, Pack.ITEMS, u32(1), inner([]), Pack.ITEMS, u32(1), Tag.NONE),
    "a key whose hash raises": payload(Tag.SET, Pack.ITEMS, u32(1), inner(Decimal("sNaN"))),
    "a member twice": payload(Tag.SET, Pack.INT, u32(2), bytes(16)),
    "an int with padding": payload(Tag.BIGINT, u32(3), b"\1\0\0"),
    "an int past the cap": payload(Tag.BIGINT, u32((1 << 20) + 1), bytes(1 << 20), b"\1"),
    "a range of step zero": payload(Tag.RANGE, inner(0), inner(5), inner(0)),
    "a range of floats": payload(Tag.RANGE, inner(0.0), inner(5), inner(1)),
    "a thirteenth month": payload(Tag.DATE, struct.pack("<HBB", 2020, 13, 1)),
    "a day of 30 hours": payload(Tag.TIME, struct.pack("<BBBIB", 30, 0, 0, 0, 0), Zone.NONE),
    "a timedelta past its range": payload(Tag.TIMEDELTA, struct.pack("<iII", 2**31 - 1, 0, 0)),
    "a zone that is a path": payload(Tag.TIMEZONE, Zone.ZONEINFO, name("../../etc/passwd")),
    "a zone that is a module": payload(Tag.TIMEZONE, Zone.ZONEINFO, name("antigravity")),
    "no zone": payload(Tag.TIMEZONE, Zone.NONE),
    "an offset of two days": payload(Tag.TIMEZONE, Zone.FIXED, inner(dt.timedelta(days=2))),
    "a Decimal of prose": payload(Tag.DECIMAL, u32(4), b"one!"),
    "a Fraction over zero": payload(Tag.FRACTION, inner(1), inner(0)),
    "a Fraction that is not reduced": payload(Tag.FRACTION, inner(2), inner(4)),
    "a type off the list": payload(Tag.TYPE, name("os.system")),
    "a flag of 2": payload(Tag.HANDLE, inner(1), inner(0), 2, u32(0)),
    "a handle with a long name": payload(Tag.HANDLE, inner(1), inner(0), 1, u32(81), b"a" * 81),
    "a record with a bad field": payload(Tag.RECORD, u32(0), 0, Tag.NONE, Pack.STR, u32(1), u32(3), u32(3), b"a b", Pack.ITEMS, u32(1), Tag.NONE),
    "a record held by a number": payload(Tag.RECORD, u32(0), 0, inner(1), EMPTY_KEYS, EMPTY_KEYS),
    "more files than bytes": payload(Tag.FILE_TREE, u32(2**32 - 1)),
    "a recipe of a list": payload(Tag.RECIPE, u32(1), b"x", inner([])),
    "a structured dtype": payload(Tag.NP_DTYPE, name("i4,i4")),
    "a dtype of code": payload(Tag.NP_DTYPE, name("O,__import__('os')")),
    "a dtype by its other name": payload(Tag.NP_DTYPE, name("=f8")),
    "a void dtype": payload(Tag.NP_DTYPE, name("|V8")),
    "a dtype of no size": payload(Tag.NDARRAY, 1, u64(2**40), name("<U0")),
    "an array longer than the bytes": payload(Tag.NDARRAY, 1, u64(2**60), name("<f8"), bytes(8)),
    "a shape that overflows": payload(Tag.NDARRAY, 2, u64(2**63), u64(2), name("<f8")),
    "a shape that is huge beside zero": payload(Tag.NDARRAY, 2, u64(0), u64(2**62), name("<f8")),
    "an empty array of huge items": payload(Tag.NDARRAY, 1, u64(0), name("<U500000000")),
    "too many dimensions": payload(Tag.NDARRAY, 64, u64(1) * 64, name("|i1"), 0),
    "an array bool of 2": payload(Tag.NDARRAY, 1, u64(1), name("|b1"), 2),
    "a character that is none": payload(Tag.NDARRAY, 1, u64(1), name("<U1"), u32(0x110000)),
    "an object array that is short": payload(Tag.NDARRAY, 1, u64(3), name("|O"), EMPTY_KEYS),
    "a scalar of an object": payload(Tag.NP_SCALAR, name("|O")),
    "a timestamp that is NaT": payload(Tag.TIMESTAMP, name("ns"), struct.pack("<q", -(2**63)), 0, Zone.NONE),
    "a timestamp of months": payload(Tag.TIMESTAMP, name("M"), bytes(8), 0, Zone.NONE),
    "a fold where there is none": payload(Tag.TIMESTAMP, name("s"), bytes(8), 1, Zone.UTC),
    "an absurd period": payload(Tag.PERIOD, name("9999999999999D"), bytes(8)),
    "a period of code": payload(Tag.PERIOD, name("D;import os"), bytes(8)),
    "a period that warns": payload(Tag.PERIOD, name("B"), bytes(8)),
    "an interval the wrong way": payload(Tag.INTERVAL, name("right"), inner(2), inner(1)),
    "an interval of lists": payload(Tag.INTERVAL, name("right"), inner([1]), inner([2])),
    "an interval closed oddly": payload(Tag.INTERVAL, name("maybe"), inner(1), inner(2)),
    "an unknown kind of dtype": payload(Tag.PD_DTYPE, 99),
    "a nullable dtype off the list": payload(Tag.PD_DTYPE, Ext.MASKED, name("Int7")),
    "an Arrow type that nests": payload(Tag.PD_DTYPE, Ext.ARROW, name("list<item: int64>")),
    "an Arrow null type": payload(Tag.PD_DTYPE, Ext.ARROW, name("null")),
    "a nullable array of another dtype": payload(Tag.EXT_ARRAY, Ext.MASKED, name("Int64"), vector([1.0]), 0),
    "a mask that is short": payload(Tag.EXT_ARRAY, Ext.MASKED, name("Int64"), vector([1, 2]), 1, 0),
    "a code out of range": payload(CATEGORY_AB, vector(np.array([0, 2], "i1"))),
    "a code below missing": payload(CATEGORY_AB, vector(np.array([0, -2], "i1"))),
    "codes that are floats": payload(CATEGORY_AB, vector([0.0])),
    "a category twice": payload(Tag.PD_DTYPE, Ext.CATEGORY, 0, inner(pd.Index(["a", "a"]))),
    "a numeric category twice": payload(Tag.PD_DTYPE, Ext.CATEGORY, 0, inner(pd.Index([1.5, 1.5]))),
    "a missing category": payload(Tag.PD_DTYPE, Ext.CATEGORY, 0, inner(pd.Index([1.5, np.nan]))),
    "categories that are a list": payload(Tag.PD_DTYPE, Ext.CATEGORY, 0, inner(["a"])),
    "strings that do not add up": payload(Tag.EXT_ARRAY, Ext.STRING, 1, Text.BYTES, u64(2), 0, u32(1), u32(9), u32(1), b"a"),
    "strings whose lengths wrap": payload(Tag.EXT_ARRAY, Ext.STRING, 1, Text.BYTES, u64(2), 0, u32(2**32 - 1), u32(2), u32(1), b"a"),
    "a string cut within a character": payload(Tag.EXT_ARRAY, Ext.STRING, 1, Text.BYTES, u64(2), 0, u32(1), u32(1), u32(2), b"\xc3\xa9"),
    "an Arrow surrogate": payload(Tag.EXT_ARRAY, Ext.STRING, 1, Text.BYTES, u64(1), 0, u32(3), u32(3), b"\xed\xa0\x80"),
    "text under a mask": payload(Tag.EXT_ARRAY, Ext.STRING, 1, Text.BYTES, u64(1), 1, 1, u32(1), u32(1), b"a"),
    "python text under a mask": payload(Tag.EXT_ARRAY, Ext.STRING, 0, Text.POINTS, u64(1), 1, 1, u32(1), u32(1), b"a"),
    "billions of strings": payload(Tag.EXT_ARRAY, Ext.STRING, 1, Text.BYTES, u64(2**31), 0, u32(0)),
    "billions of missing strings": payload(Tag.EXT_ARRAY, Ext.STRING, 1, Text.BYTES, u64(2**62), 1, 1),
    "billions of Arrow ints": payload(Tag.EXT_ARRAY, Ext.ARROW, name("int64"), 1, u64(2**40), name("<i8"), 0),
    "intervals off their dtype": payload(Tag.EXT_ARRAY, Ext.INTERVAL, name("left"), inner(np.dtype("i8")), inner(pd.Index([1.5])), inner(pd.Index([2.5]))),
    "a sparse layout of runs": payload(Tag.EXT_ARRAY, Ext.SPARSE, name("<f8"), inner(0.0), name("rle"), vector([1.0])),
    "a sparse fill that is a list": payload(Tag.PD_DTYPE, Ext.SPARSE, name("<f8"), inner([])),
    "dates in no unit of pandas": payload(Tag.EXT_ARRAY, Ext.NAIVE, vector(np.array(["2020"], "M8[D]"))),
    "an index of a list": payload(Tag.INDEX, inner([1]), Tag.NONE, name("")),
    "an index of two dimensions": payload(Tag.INDEX, ONES, Tag.NONE, name("")),
    "an index with a list for a name": payload(Tag.INDEX, inner(np.ones(2)), inner([]), name("")),
    "a frequency the dates lack": payload(inner(pd.DatetimeIndex(["2020-01-01", "2020-01-05"]))[:-1], name("D")),
    "a calendar the dates lack": payload(inner(pd.DatetimeIndex(["2020-01-01", "2020-01-05"]))[:-1], name("ME")),
    "an absurd frequency": payload(inner(pd.DatetimeIndex(["2020-01-01"]))[:-1], name("999999999999999999D")),
    "a frequency of numbers": payload(Tag.INDEX, inner(np.ones(2)), Tag.NONE, name("D")),
    "billions of labels": payload(Tag.RANGE_INDEX, struct.pack("<qqq", 0, 2**60, 1), Tag.NONE),
    "labels of step zero": payload(Tag.RANGE_INDEX, struct.pack("<qqq", 0, 5, 0), Tag.NONE),
    "a level code out of range": payload(Tag.MULTI_INDEX, u32(1), INDEX_AB, vector(np.array([5], "i1")), Tag.NONE),
    "levels of different lengths": payload(Tag.MULTI_INDEX, u32(2), (INDEX_AB + vector(np.array([0], "i1")) + b"\0") + INDEX_AB + vector(np.array([0, 1], "i1")) + b"\0"),
    "a level with a label twice": payload(Tag.MULTI_INDEX, u32(1), inner(pd.Index(["a", "a"])), vector(np.array([0], "i1")), Tag.NONE),
    "no levels": payload(Tag.MULTI_INDEX, u32(0)),
    "a series longer than its index": payload(Tag.SERIES, 1, Tag.NONE, RANGE_2, Tag.NONE, inner(np.ones(3))),
    "a series of big endian": payload(Tag.SERIES, 1, Tag.NONE, RANGE_2, Tag.NONE, inner(np.ones(2, ">f8"))),
    "a series of numpy text": payload(Tag.SERIES, 1, Tag.NONE, RANGE_2, Tag.NONE, inner(np.array(["a", "b"]))),
    "a series of a list": payload(Tag.SERIES, 1, Tag.NONE, RANGE_2, Tag.NONE, inner([1, 2])),
    "a frame without columns it names": frame(RANGE_2, INDEX_AB, ([0], ONES)),
    "a frame with a column twice": frame(RANGE_2, INDEX_AB, ([0], ONES), ([0], ONES)),
    "a column at a place beyond": frame(RANGE_2, INDEX_AB, ([0], ONES), ([2**32 - 1], ONES)),
    "a column longer than the index": frame(inner(pd.RangeIndex(3)), inner(pd.Index(["a"])), ([0], ONES)),
    "a block over one place": frame(RANGE_2, inner(pd.Index(["a"])), ([0], inner(np.ones((2, 2))))),
    "a nullable column too short": frame(RANGE_2, inner(pd.Index(["a"])), ([0], inner(pd.array([1])))),
    "a frame whose index is a list": frame(inner([0, 1]), inner(pd.Index(["a"])), ([0], ONES)),
    "attrs that are a list": payload(Tag.SERIES, 1, inner([]), RANGE_2, Tag.NONE, inner(np.ones(2))),
    "duplicate labels that are forbidden": payload(Tag.SERIES, 0, Tag.NONE, inner(pd.Index([1, 1])), Tag.NONE, inner(np.ones(2))),
}  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_decoder_refuses(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(codec.DecodeError):
            codec.decode(data)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(data) + (1 << 20)
    finally:
        tracemalloc.stop()


MODULUS = (1 << 61) - 1
FLOODS = {
    "set": (Tag.SET, lambda keys: inner(keys)[1:]),
    "dict": (Tag.DICT, lambda keys: inner(keys)[1:] + inner([None] * len(keys))[1:]),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_keys_made_to_collide_are_refused_quickly(kind: str) -> None:
    tag, body = FLOODS[kind]
    data = payload(tag, body([MODULUS * n for n in range(20_000)]))
    start = time.perf_counter()
    with pytest.raises(codec.DecodeError, match="collide"):
        codec.decode(data)
    assert time.perf_counter() - start < 2


BOMBS = {
    "empty lists": payload(Tag.LIST, Pack.ITEMS, u32(60_000), inner([]) * 60_000),
    "empty sets": payload(Tag.LIST, Pack.ITEMS, u32(60_000), inner(set()) * 60_000),
    "empty arrays": payload(Tag.LIST, Pack.ITEMS, u32(20_000), inner(np.zeros(0, "i1")) * 20_000),
    "empty frames": payload(Tag.LIST, Pack.ITEMS, u32(3000), inner(pd.DataFrame()) * 3000),
    "nothing": codec.encode([None] * 400_000),
    "one wide character": codec.encode("a" * 400_000 + "\U0001f600"),
    "short strings": codec.encode(["ä€"] * 60_000),
    "one row of many levels": payload(Tag.MULTI_INDEX, u32(3000), (inner(pd.RangeIndex(0)) + vector(np.zeros(0, "i1")) + b"\0") * 3000),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_memory_stays_within_a_multiple_of_the_payload(data: bytes) -> None:
    tracemalloc.start()
    try:
        codec.decode(data)
    except codec.DecodeError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 64 * len(data) + (1 << 20)


def test_budget_of_objects_is_shared_by_the_whole_payload() -> None:
    with pytest.raises(codec.DecodeError, match="more items"):
        codec.decode(codec.encode([[1] * 60] * 60), max_items=2000)


@pytest.mark.slow
def test_time_of_dear_checks_is_bounded_whatever_the_length() -> None:
    dear = inner(pd.date_range("2020", periods=2, freq="ME"))
    count = MAX_WORK // WORK_CALENDAR
    start = time.perf_counter()
    with pytest.raises(codec.DecodeError, match="more items"):
        codec.decode(payload(Tag.LIST, Pack.ITEMS, u32(count), dear * count))
    assert time.perf_counter() - start < 60


DEAR = {
    "fractions": Fraction(3**9000, 2**14000),
    "times with a zone": pd.Timestamp("2020-01-01", tz="Europe/Berlin"),
    "time spans": dt.timedelta(1),
    "long decimals": Decimal("1" * 60_000),
    "paths": pathlib.PurePosixPath("a/b"),
    "numpy scalars": np.float64(1),
    "handles": Handle(1, "X", callable=True),
}


@pytest.mark.parametrize("value", DEAR.values(), ids=DEAR)
def test_work_of_a_reply_is_bounded_for_every_kind(value: object) -> None:
    data = inner(value)
    count = min(2_000_000, (24 << 20) // len(data))
    bomb = payload(Tag.LIST, Pack.ITEMS, u32(count), data * count)
    start = time.process_time()
    with pytest.raises(codec.DecodeError, match="dearer"):
        codec.decode(bomb, max_items=10_000_000, max_work=1_000_000)
    assert time.process_time() - start < 20  # without the bound: minutes for some


def test_cells_of_small_items_are_counted_not_weighed() -> None:
    codec.decode(codec.encode(np.zeros(40_000, "i1")), max_items=10_000)
    with pytest.raises(codec.DecodeError, match="more items"):
        codec.decode(codec.encode(np.zeros(40_001, "i1")), max_items=10_000)


@pytest.mark.parametrize(
    "index",
    [pd.Index(np.zeros(1001, "i1")), pd.MultiIndex.from_tuples([(1, 2)] * 1001)],
    ids=["plain", "levels"],
)
def test_labels_of_an_index_are_as_few_as_items(index: Any) -> None:
    with pytest.raises(codec.DecodeError, match="too many labels"):
        codec.decode(codec.encode(index), max_items=1000)


def test_several_payloads_share_the_limits_of_one() -> None:
    one = codec.encode([1] * 600)
    assert codec.decode_all([one, one], max_items=2000) == [[1] * 600] * 2
    with pytest.raises(codec.DecodeError, match="more items"):
        codec.decode_all([one, one], max_items=1000)


@pytest.mark.parametrize(
    "attrs", [{"a": list(range(2000))}, {"a": "x" * 70_000}], ids=["many items", "many bytes"]
)
@pytest.mark.parametrize("kind", [pd.Series, pd.DataFrame])
def test_attrs_that_pandas_would_copy_again_and_again_are_refused(kind: Any, attrs: Any) -> None:
    value = kind([1.0])
    value.attrs = attrs
    with pytest.raises(codec.DecodeError, match="attrs"):
        codec.decode(codec.encode(value))


def test_more_pandas_objects_than_the_budget_are_refused() -> None:
    empty = inner(pd.DataFrame())
    count = FREE_ITEMS // 100
    with pytest.raises(codec.DecodeError, match="more items"):
        codec.decode(payload(Tag.LIST, Pack.ITEMS, u32(count), empty * count))


# --- fuzz: damage to honest payloads ----------------------------------------------------------

HONEST: list[Any] = [
    [None, True, 1, 2**80, 1.5, 1j, "é\ud800", b"x", bytearray(b"y"), ..., int],
    [(1, 2), [1.5, 2.5], ["a", "bc"], [True, False], {1: "a", "b": [2]}, {1, 2}, frozenset("a")],
    [dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")), dt.time(1), dt.date(2020, 1, 1),
     dt.timezone(dt.timedelta(hours=1), "x"), Decimal("1.5"), Fraction(1, 3), range(3), slice(1, None)],
    [Handle(1, "X", callable=True), Record("R", {"a": 1}, is_tuple=True), FileTree({"a": b"b"}), Stream(1),
     Recipe("k", {"a": 1})],
    [np.float32(1), np.datetime64("2020"), np.str_("a"), np.arange(6).reshape(2, 3), np.array([1, "a"], object),
     np.array(["ab"]), np.array(["a"], np.dtypes.StringDType()), np.array(["2020"], "M8[D]"), np.dtype("M8[ns]")],
    [pd.NA, pd.NaT, pd.Timestamp("2020", tz="UTC"), pd.Timedelta(1, "s"), pd.Period("2020", "M"), pd.Interval(1, 2)],
    pd.DataFrame({"a": [1.0, np.nan], "b": [1, 2], "c": pd.array([1, None], dtype="Int64"), "d": ["x", None],
                  "e": pd.Categorical(["p", "q"]), "f": pd.date_range("2020", periods=2)}),
    pd.DataFrame({"a": pd.array(["é", None] * 30, dtype="string"), "b": pd.date_range("2020", periods=60, tz="UTC")},
                 index=pd.date_range("2020", periods=60, freq="ME")),
    pd.Series([1, None] * 3, dtype="int64[pyarrow]", index=pd.MultiIndex.from_product([["a", "b"], [1, 2, 3]])),
    pd.Series(["x", None] * 40, dtype="string[pyarrow]"),
    pd.Series(pd.period_range("2020", periods=3, freq="Q-DEC"), index=pd.timedelta_range("1D", periods=3)),
    pd.Series(pd.arrays.SparseArray([0.0, 1.0]), index=pd.interval_range(0, 2)),
    pd.Series(pd.date_range("2020", periods=3), dtype="timestamp[ns, UTC][pyarrow]").rename("n"),
    pd.CategoricalIndex(pd.cut([1, 5, 9], 3)),
]  # fmt: skip
PAYLOADS = [codec.encode(value) for value in HONEST]
INTERESTING = [b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x01\0\0\0",
               u64(2**63), u64(2**40), u64(2**64 - 1), b"\x40", b"\x10\x27\0\0"]  # fmt: skip


def _damage(data: bytes, rng: random.Random) -> bytes:
    broken = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(1, max(2, len(broken)))
        match rng.randrange(6):
            case 0:
                broken[at:] = b""
            case 1:
                broken[at : at + 1] = bytes([rng.randrange(256)])
            case 2:
                broken[at : at + 1] = bytes(
                    [(broken[at : at + 1] or b"\0")[0] ^ (1 << rng.randrange(8))]
                )
            case 3:
                lie = rng.choice(INTERESTING)
                broken[at : at + len(lie)] = lie
            case 4:
                other = rng.choice(PAYLOADS)
                start = rng.randrange(len(other))
                broken[at : at + rng.randrange(12)] = other[start : start + rng.randrange(40)]
            case _:
                del broken[at : at + rng.randrange(1, 9)]
    return bytes(broken)


def _decodes(data: bytes) -> bool:
    try:
        value = codec.decode(data)
    except codec.DecodeError:
        return False
    # What was let through must be sound: writing it again reads all of it.
    codec.encode(value)
    return True


@pytest.mark.parametrize("origin", range(len(PAYLOADS)))
def test_damaged_payload_is_a_value_or_a_decode_error(origin: int) -> None:
    rng = random.Random(origin)
    outcomes = [_decodes(_damage(PAYLOADS[origin], rng)) for _ in range(800)]
    assert set(outcomes) == {True, False}


@pytest.mark.parametrize("origin", range(len(PAYLOADS)))
def test_damaged_payload_takes_little_memory(origin: int) -> None:
    rng = random.Random(1000 + origin)
    cases = [_damage(PAYLOADS[origin], rng) for _ in range(100)]
    tracemalloc.start()
    try:
        for case in cases:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            _decodes(case)
            assert tracemalloc.get_traced_memory()[1] - before < 64 * len(case) + (2 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("origin", range(len(PAYLOADS)))
def test_every_truncation_is_refused(origin: int) -> None:
    data = PAYLOADS[origin]
    assert not any(_decodes(data[:end]) for end in range(len(data)))


def test_noise_is_a_value_or_a_decode_error() -> None:
    rng = random.Random(7)
    outcomes = [
        _decodes(bytes([VERSION, rng.choice(range(64))]) + rng.randbytes(rng.randrange(60)))
        for _ in range(3000)
    ]
    assert False in outcomes
