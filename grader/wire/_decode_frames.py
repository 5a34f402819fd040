"""Bytes to pandas' scalars, indexes, series and frames.

The fast way into a frame believes its caller, so the rows of every column, the places of every
block, codes and frequencies are checked here first.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from pandas._libs.internals import BlockPlacement
from pandas.api.internals import create_dataframe_from_blocks
from pandas.core.internals.blocks import ExtensionBlock, get_block_type
from pandas.core.internals.managers import BlockManager

from grader.wire._decode import (
    COST_ARRAY,
    COST_PANDAS,
    READERS,
    WORK_ARRAY,
    WORK_CALENDAR,
    WORK_CALENDAR_ROW,
    WORK_PANDAS,
    WORK_SCALAR,
    WORK_ZONE,
    Decoder,
    Read,
    need,
)
from grader.wire._decode_arrays import (
    as_text,
    check_codes,
    check_unique,
    extension,
    is_index,
    unit_of,
)
from grader.wire._decode_numpy import block
from grader.wire._decode_python import read_zone
from grader.wire._tags import MAX_CALENDAR_ROWS, Tag
from grader.wire._types import (
    CLOSED,
    UNITS,
    PandasObject,
    offset,
    pd,
    period_dtype,
    tick_nanos,
)

_FLAT: Final = 2
_NAT: Final = np.iinfo(np.int64).min


def _timestamp(dec: Decoder) -> PandasObject:
    dec.charge(0, WORK_SCALAR)
    unit, number, fold = unit_of(dec), dec.i64(), dec.u8()
    tz = read_zone(dec)
    need(number != _NAT and fold <= 1, "a timestamp that is none")
    stamp = pd.Timestamp(np.int64(number).view(f"M8[{unit}]"))
    if tz is not None:
        dec.charge(0, WORK_ZONE)
        stamp = stamp.tz_localize("UTC").tz_convert(tz)
    elif fold:
        stamp = stamp.replace(fold=1)
    need(stamp.fold == fold, "a fold that the time zone does not have")
    return stamp


def _timedelta(dec: Decoder) -> PandasObject:
    dec.charge(0, WORK_SCALAR)
    unit, number = unit_of(dec), dec.i64()
    need(number != _NAT, "a timedelta that is none")
    return pd.Timedelta(np.int64(number).view(f"m8[{unit}]"))


def _period(dec: Decoder) -> PandasObject:
    dec.charge(0, WORK_SCALAR)
    freq, ordinal = dec.short(), dec.i64()
    need(ordinal != _NAT, "a period that is none")
    return pd.Period(ordinal=ordinal, freq=period_dtype(freq)._freqstr)  # noqa: SLF001 - "M", not "ME"


def _interval(dec: Decoder) -> PandasObject:
    dec.charge(0, WORK_SCALAR)
    closed = dec.short()
    need(closed in CLOSED, "an interval closed in no known way")
    return pd.Interval(dec.value(), dec.value(), closed=closed)


# --- indexes, series, frames -----------------------------------------------------------------


def _index(dec: Decoder) -> PandasObject:
    dec.charge(COST_PANDAS, WORK_PANDAS)
    size = dec.u32()
    start = dec.take(size)
    data = dec.data[start : dec.pos] if size <= _MAX_KNOWN else b""
    known = _KNOWN_LABELS.get(data)
    if known is not None:
        labels, name, items, work, cells = known
        dec.charge(items, work)
        dec.charge_cells(cells)
        need(dec.depth < dec.max_depth, "nested too deep")  # as its parts would be
        return pd.Index._simple_new(as_text(labels), name=name)  # noqa: SLF001 - see _new_index
    dec.pos = start
    before = dec.budget, dec.work, dec.cells
    index = _labels(dec)
    need(dec.pos == start + size, "an index of another length than it says")
    need(len(index) <= dec.max_items, "too many labels")
    values = index._values  # noqa: SLF001 - .array wraps plain arrays
    if (
        data
        and type(values) is pd.arrays.ArrowStringArray
        and values.dtype.na_value is not pd.NA
        and type(index.name) in (type(None), str)
    ):
        # The same few labels stand in every frame of a test. Arrow's arrays never change.
        if len(_KNOWN_LABELS) >= _MOST_KNOWN:
            _KNOWN_LABELS.clear()
        spent = before[0] - dec.budget, before[1] - dec.work, before[2] - dec.cells
        _KNOWN_LABELS[data] = values._pa_array, index.name, *spent  # noqa: SLF001 - as above
    return index


_MAX_KNOWN: Final = 1 << 10
_MOST_KNOWN: Final = 256
_KNOWN_LABELS: Final[dict[bytes, tuple[PandasObject, str | None, int, int, int]]] = {}


def _labels(dec: Decoder) -> PandasObject:
    values = dec.value()
    name = dec.value()
    freq = dec.short()
    need(
        type(values) is np.ndarray or isinstance(values, pd.api.extensions.ExtensionArray),
        "no labels",
    )
    need(values.ndim == 1 and type(values) is not pd.arrays.NumpyExtensionArray, "no labels")
    index = _new_index(values, name)
    if freq:
        _set_freq(dec, index, freq)
    return index


def _new_index(values: PandasObject, name: object) -> PandasObject:
    hash(name)
    if type(values) in _PLAIN_LABELS:
        # What the constructor comes to, without its questions.
        return pd.Index._simple_new(values, name=name)  # noqa: SLF001 - see above
    index = pd.Index(values, dtype=values.dtype, name=name, copy=False)
    need(index.dtype == values.dtype, "labels of a dtype that no index has")
    return index


_PLAIN_LABELS: Final = (pd.arrays.ArrowStringArray, pd.arrays.StringArray)


def _set_freq(dec: Decoder, index: PandasObject, text: str) -> None:
    """Give a date index the frequency that it claims, if its labels have it."""
    freq = offset(text)
    need(isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)), "a frequency without dates")
    nanos = tick_nanos(text)
    if nanos is not None and (index.dtype.kind == "m" or index.tz is None or "D" not in text):
        step, rest = divmod(nanos, UNITS[index.unit])
        stamps = index.asi8
        regular = rest == 0 and (stamps[1:] - stamps[:-1] == step).all()
        need(len(index) < 2 or regular, "a frequency that the labels do not have")  # noqa: PLR2004 - no step
        need(not index.hasnans, "a frequency and a missing label")
        index._freq = freq  # noqa: SLF001 - the setter would infer what was just checked
    else:
        need(len(index) <= MAX_CALENDAR_ROWS, "too many dates to check their calendar")
        dec.charge(0, WORK_CALENDAR + WORK_CALENDAR_ROW * len(index))
        index.freq = freq


def _range_index(dec: Decoder) -> PandasObject:
    dec.charge(COST_PANDAS, WORK_PANDAS)
    labels = range(dec.i64(), dec.i64(), dec.i64())
    need(len(labels) <= dec.max_items, "a range index too long")
    name = dec.value()
    hash(name)
    return pd.RangeIndex._simple_new(labels, name=name)  # noqa: SLF001 - the labels are a range


def _multi_index(dec: Decoder) -> PandasObject:
    levels, codes, names = [], [], []
    for _ in range(dec.u32()):
        dec.charge(COST_PANDAS, WORK_PANDAS)
        level = dec.value()
        need(is_index(level) and not isinstance(level, pd.MultiIndex), "a level that is no index")
        check_unique(level)
        code = block(dec)
        need(code.ndim == 1 and code.dtype.kind == "i", "level codes that are none")
        check_codes(code, len(level))
        levels.append(level)
        codes.append(code)
        names.append(dec.value())
    need(levels and len(set(map(len, codes))) == 1, "levels of different lengths")
    need(len(codes[0]) <= dec.max_items, "too many labels")
    return pd.MultiIndex(levels, codes, names=names, verify_integrity=False)


def _attrs(dec: Decoder) -> dict[object, object] | None:
    """Read what pandas copies, level by level, whenever somebody looks at a column."""
    start, before = dec.pos, dec.budget
    attrs: dict[object, object] | None = dec.value()
    need(attrs is None or type(attrs) is dict, "attrs that are no dict")
    small = dec.pos - start <= _MAX_ATTRS_BYTES and before - dec.budget <= _MAX_ATTRS_ITEMS
    need(small, "attrs that are more than a few notes")
    return attrs


_MAX_ATTRS_BYTES: Final = 1 << 16
_MAX_ATTRS_ITEMS: Final = 1000


def _finish(obj: PandasObject, flag: bool, attrs: dict[object, object] | None) -> PandasObject:
    if attrs is not None:
        obj.attrs = attrs
    if not flag:
        obj.flags.allows_duplicate_labels = False
    return obj


def _series(dec: Decoder) -> PandasObject:
    dec.charge(COST_PANDAS, WORK_PANDAS)
    flag, attrs = dec.flag(), _attrs(dec)
    index, name = dec.value(), dec.value()
    values = _column(dec)
    need(is_index(index) and values.ndim == 1, "a series without an index")
    need(len(index) == len(values), "an index of another length than the series")
    series = pd.Series(values, index=index, name=name, dtype=values.dtype, copy=False)
    return _finish(series, flag, attrs)


def _column(dec: Decoder) -> PandasObject:
    tag = dec.u8()
    if tag == Tag.EXT_ARRAY:
        values = extension(dec)
        need(type(values) is not pd.arrays.NumpyExtensionArray, "a wrapped plain column")
        return values
    need(tag == Tag.NDARRAY, "a column was due")
    values = block(dec)
    kind = values.dtype.kind
    # Dates come wrapped, text as objects, and pandas has no column of another byte order.
    need(kind in "biufcO" and values.dtype.isnative, "a dtype that no column has")
    return values


def _frame(dec: Decoder) -> PandasObject:
    dec.charge(COST_PANDAS, WORK_PANDAS)
    flag, attrs = dec.flag(), _attrs(dec)
    index, columns = dec.value(), dec.value()
    need(is_index(index) and is_index(columns), "a frame without an index")
    rows, width = len(index), len(columns)
    blocks: list[tuple[PandasObject, tuple[int, ...]]] = []
    order: list[int] = []
    for _ in range(dec.u32()):
        dec.charge(COST_ARRAY, WORK_ARRAY)
        count = dec.u32()
        pos = dec.take(4 * count)
        places = struct.unpack_from(f"<{count}I", dec.data, pos)
        values = _column(dec)
        if values.ndim == 1 and type(values) is not np.ndarray:
            need(count == 1, "one column at several places")
            need(len(values) == rows, "a column of another length than the index")
        else:
            need(values.shape == (count, rows), "a block of another shape than the frame")
        blocks.append((values, places))
        order += places
    order.sort()
    need(order == list(range(width)), "columns that are missing or doubled")
    return _finish(_from_blocks(blocks, index, columns), flag, attrs)


def _from_blocks(
    blocks: list[tuple[PandasObject, tuple[int, ...]]], index: PandasObject, columns: PandasObject
) -> PandasObject:
    """Build a frame of blocks whose rows and places were checked."""
    plain = [values.dtype for values, _ in blocks if values.ndim == _FLAT]
    if len(set(plain)) < len(plain):
        # Two blocks of one dtype become one. That is rare, and the public function knows how.
        arrays = [(values, np.array(places, np.intp)) for values, places in blocks]
        return create_dataframe_from_blocks(arrays, index, columns)
    # What the function comes to, without checking again what was checked.
    made = []
    for values, places in blocks:
        block_type = get_block_type(values.dtype)
        if block_type is not ExtensionBlock and values.ndim == 1:
            values = values.reshape(1, -1)  # noqa: PLW2901 - blocks of dates are flat
        where: PandasObject = np.array(places, np.intp)
        if len(places) == 1:
            where = slice(places[0], places[0] + 1)
        made.append(block_type(values, placement=BlockPlacement(where), ndim=2))
    axes = [columns, index]
    return pd.DataFrame._from_mgr(BlockManager(made, axes, verify_integrity=False), axes)  # noqa: SLF001 - as above


def register() -> None:
    """Add pandas' scalars, indexes, series and frames to the decoder's table."""
    readers: dict[int, Read] = {
        Tag.PD_NA: lambda _: pd.NA,
        Tag.PD_NAT: lambda _: pd.NaT,
        Tag.TIMESTAMP: _timestamp,
        Tag.PD_TIMEDELTA: _timedelta,
        Tag.PERIOD: _period,
        Tag.INTERVAL: _interval,
        Tag.INDEX: _index,
        Tag.RANGE_INDEX: _range_index,
        Tag.MULTI_INDEX: _multi_index,
        Tag.SERIES: _series,
        Tag.FRAME: _frame,
    }
    for tag, read in readers.items():
        READERS[tag] = read
