"""pandas' scalars, indexes, series and frames to bytes.

Frames are written block by block, as pandas stores them, so a block of a hundred columns costs
as much as one.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from grader.wire._encode import WRITERS, Encoder
from grader.wire._encode_arrays import block, period_freq, values
from grader.wire._encode_python import write_zone
from grader.wire._tags import DecodeError, Tag
from grader.wire._types import PandasObject, offset, pd

_I64: Final = struct.Struct("<q").pack
_U32: Final = struct.Struct("<I").pack


# --- scalars of pandas ---------------------------------------------------------------------


def _timestamp(enc: Encoder, obj: PandasObject) -> None:
    enc.out.append(Tag.TIMESTAMP)
    enc.short(obj.unit)
    enc.out += _I64(obj.asm8.astype("i8"))
    enc.out.append(obj.fold)
    write_zone(enc, obj.tzinfo)


def _timedelta(enc: Encoder, obj: PandasObject) -> None:
    enc.out.append(Tag.PD_TIMEDELTA)
    enc.short(obj.unit)
    enc.out += _I64(obj.asm8.astype("i8"))


def _period(enc: Encoder, obj: PandasObject) -> None:
    enc.out.append(Tag.PERIOD)
    period_freq(enc, obj.freqstr)
    enc.out += _I64(obj.ordinal)


def _interval(enc: Encoder, obj: PandasObject) -> None:
    enc.out.append(Tag.INTERVAL)
    enc.short(obj.closed)
    enc.part(obj.left)
    enc.part(obj.right)


_INDEX_HEAD: Final = bytes((Tag.INDEX, 0, 0, 0, 0))
_DATED: Final = (pd.DatetimeIndex, pd.TimedeltaIndex)


def _index(enc: Encoder, obj: PandasObject) -> None:
    enc.out += _INDEX_HEAD
    start = len(enc.out)
    values(enc, obj._values)  # noqa: SLF001 - .array wraps plain arrays
    enc.part(obj.name)
    freq = obj.freq if type(obj) in _DATED else None
    if freq is None:
        enc.out.append(0)
    else:
        text = freq.freqstr
        try:
            known = offset(text) == freq
        except DecodeError:
            known = False
        # A custom calendar cannot be named. The labels are all there, so only the freq is lost.
        enc.short(text if known else "")
    # Its length comes first, so that the reader can recognise labels that it has read before.
    enc.out[start - 4 : start] = _U32(len(enc.out) - start)


def _range_index(enc: Encoder, obj: PandasObject) -> None:
    enc.out.append(Tag.RANGE_INDEX)
    enc.out += struct.pack("<qqq", obj.start, obj.stop, obj.step)
    enc.part(obj.name)


def _multi_index(enc: Encoder, obj: PandasObject) -> None:
    enc.out.append(Tag.MULTI_INDEX)
    enc.count(obj.nlevels)
    for level, codes, name in zip(obj.levels, obj.codes, obj.names, strict=True):
        enc.part(level)
        block(enc, np.asarray(codes))
        enc.part(name)


def _extras(enc: Encoder, obj: PandasObject) -> None:
    enc.out.append(obj.flags.allows_duplicate_labels)
    enc.part(obj.attrs or None)


def _series(enc: Encoder, obj: PandasObject) -> None:
    enc.out.append(Tag.SERIES)
    _extras(enc, obj)
    enc.part(obj.index)
    enc.part(obj.name)
    values(enc, obj._values)  # noqa: SLF001 - .array wraps plain arrays


def _frame(enc: Encoder, obj: PandasObject) -> None:
    enc.out.append(Tag.FRAME)
    _extras(enc, obj)
    enc.part(obj.index)
    enc.part(obj.columns)
    blocks = obj._mgr.blocks  # noqa: SLF001 - see the module's docstring
    enc.count(len(blocks))
    for part in blocks:
        places = part.mgr_locs.as_array
        enc.count(len(places))
        enc.out += places.astype("<u4").tobytes()
        values(enc, part.values)


def register() -> None:
    """Add pandas' scalars, indexes, series and frames to the encoder's table."""
    WRITERS[type(pd.NA)] = lambda enc, _: enc.out.append(Tag.PD_NA)
    WRITERS[type(pd.NaT)] = lambda enc, _: enc.out.append(Tag.PD_NAT)
    WRITERS.update(
        {
            pd.Timestamp: _timestamp,
            pd.Timedelta: _timedelta,
            pd.Period: _period,
            pd.Interval: _interval,
            pd.RangeIndex: _range_index,
            pd.MultiIndex: _multi_index,
            pd.Series: _series,
            pd.DataFrame: _frame,
        }
    )
    for name in ("", "Categorical", "Datetime", "Timedelta", "Period", "Interval"):
        WRITERS[getattr(pd, f"{name}Index")] = _index
