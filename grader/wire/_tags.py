"""The grammar of the format: errors, limits and the byte that starts each kind of value."""

from __future__ import annotations

from typing import Final

VERSION: Final = 3
MAX_DEPTH: Final = 64
MAX_NAME: Final = 80
MAX_INT_BYTES: Final = 1 << 20
# A fraction is reduced on construction, which takes quadratic time.
MAX_FRACTION_BYTES: Final = 1 << 12
MAX_DECIMAL_CHARS: Final = 1 << 16
# numpy allocates one item even for an empty array.
MAX_EMPTY_ITEMSIZE: Final = 1 << 16
MAX_NDIM: Final = 32
# Checking a calendar frequency costs microseconds a row; a century of business days fits.
MAX_CALENDAR_ROWS: Final = 100_000


class CodecError(Exception):
    """Base of the codec's errors."""


class EncodeError(CodecError):
    """The value holds something that is not data, or is nested too deep."""


class EncodeTooLargeError(EncodeError):
    """The value would take more bytes than the limit."""


class DecodeError(CodecError):
    """The bytes are no payload of this codec."""


class NotDataError(CodecError):
    """Internal: this object cannot be carried; its nearest container decides what to do."""


class Tag:
    """The first byte of every value."""

    NONE: Final = 0
    TRUE: Final = 1
    FALSE: Final = 2
    INT: Final = 3
    BIGINT: Final = 4
    FLOAT: Final = 5
    COMPLEX: Final = 6
    STR: Final = 7
    BYTES: Final = 8
    BYTEARRAY: Final = 9
    LIST: Final = 10
    TUPLE: Final = 11
    SET: Final = 12
    FROZENSET: Final = 13
    DICT: Final = 14
    RANGE: Final = 15
    SLICE: Final = 16
    ELLIPSIS: Final = 17
    DATETIME: Final = 18
    DATE: Final = 19
    TIME: Final = 20
    TIMEDELTA: Final = 21
    TIMEZONE: Final = 22
    DECIMAL: Final = 23
    FRACTION: Final = 24
    UUID: Final = 25
    PATH: Final = 26
    TYPE: Final = 27
    HANDLE: Final = 28
    RECORD: Final = 29
    FILE_TREE: Final = 30
    STREAM: Final = 31
    RECIPE: Final = 32
    KEPT: Final = 33
    NP_SCALAR: Final = 40
    NP_STR: Final = 41
    NP_BYTES: Final = 42
    NDARRAY: Final = 43
    NP_DTYPE: Final = 44
    PD_NA: Final = 50
    PD_NAT: Final = 51
    TIMESTAMP: Final = 52
    PD_TIMEDELTA: Final = 53
    PERIOD: Final = 54
    INTERVAL: Final = 55
    PD_DTYPE: Final = 56
    EXT_ARRAY: Final = 57
    INDEX: Final = 58
    RANGE_INDEX: Final = 59
    MULTI_INDEX: Final = 60
    SERIES: Final = 61
    FRAME: Final = 62


class Pack:
    """How the items of a sequence are written: one by one, or packed when all are alike."""

    ITEMS: Final = 0
    INT: Final = 1
    FLOAT: Final = 2
    STR: Final = 3
    BOOL: Final = 4


class Text:
    """How the strings of an array are written: lengths in code points, or in bytes of UTF-8."""

    POINTS: Final = 0
    BYTES: Final = 1


class Zone:
    """How a time zone is written."""

    NONE: Final = 0
    UTC: Final = 1
    FIXED: Final = 2
    NAMED_FIXED: Final = 3
    ZONEINFO: Final = 4


class Ext:
    """The kinds of pandas dtypes, and so of extension arrays."""

    MASKED: Final = 1
    STRING: Final = 2
    CATEGORY: Final = 3
    DATETIME: Final = 4
    NAIVE: Final = 5
    PERIOD: Final = 6
    INTERVAL: Final = 7
    SPARSE: Final = 8
    ARROW: Final = 9
    NUMPY: Final = 10
