"""Data to bytes and back, without pickle, Arrow streams or anything else that can run code.

The judge decodes what a candidate's process wrote, so the format is a tree of tagged values
with counts that are checked before they are believed. What crosses, exactly as it was:

- the built-in scalars and containers, ``datetime``, ``Decimal``, ``Fraction``, ``UUID``,
  ``range``, ``slice``, ``...``, and the classes on a fixed list (``int``, ``numpy.float64``, …);
- numpy scalars, arrays of plain and object dtype, dtypes. Memory order is not kept; arrays
  come back writable, in C order. A C type that is a synonym (``longlong``) comes back as the
  sized one; long doubles are those of the machine;
- pandas scalars, dtypes, arrays, indexes, Series and DataFrame with names, attrs and flags.
  Sparse arrays travel dense, and what a mask hides is zeroed. An index of a custom calendar
  loses its ``freq``, a `MultiIndex` its ``sortorder``;
- `values.Handle`, `values.FileTree`, `values.Stream`, `values.Recipe` and `values.Record`.

Some things cross as their nearest plain value: a path as `PurePosixPath`; a subclass of a
built-in (``OrderedDict``, ``IntEnum``) as that built-in, whatever it overrides; a dataclass
instance, named tuple or other enum member (``name``, ``value``) as a `values.Record`.

All else (functions, models, generators, subclasses of pandas objects, structured, masked and
matrix arrays, nested Arrow types) is not data. It needs a handle or raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.wire import (
    _decode_arrays,
    _decode_frames,
    _decode_python,
    _encode_arrays,
    _encode_frames,
    _encode_python,
)
from grader.wire._decode import MAX_WORK, Decoder
from grader.wire._encode import Encoder
from grader.wire._tags import (
    MAX_DEPTH,
    CodecError,
    DecodeError,
    EncodeError,
    EncodeTooLargeError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from grader.wire.values import Handle

__all__ = [
    "CodecError",
    "DecodeError",
    "EncodeError",
    "EncodeTooLargeError",
    "decode",
    "decode_all",
    "encode",
]

for _part in (_encode_python, _encode_arrays, _encode_frames):
    _part.register()
for _part in (_decode_python, _decode_arrays, _decode_frames):
    _part.register()


def encode(
    obj: object,
    *,
    handle: Callable[[object], Handle] | None = None,
    origins: bool = False,
    max_bytes: int = 64 << 20,
) -> bytes:
    """Write a value as bytes.

    Args:
        obj: the value.
        handle: gives the handle that stands for an object that is not data, at any depth.
            Without it such an object is an error. Also asked for the handle of a dataclass
            instance that has methods, which crosses as a record with a handle, and for that of a
            record that came with one.
        origins: give every dataclass instance and named tuple its handle, so that it can be sent
            back as itself.
        max_bytes: most bytes of the result. Large parts are measured before they are copied.

    Raises:
        EncodeError: something in the value is not data, is nested deeper than 64 levels or
            holds itself.
        EncodeTooLargeError: the result would be larger than `max_bytes`.
    """
    encoder = Encoder(handle, max_bytes, origins=origins)
    encoder.value(obj)
    encoder.fits(0)
    return bytes(encoder.out)


def decode(
    data: bytes | memoryview,
    *,
    max_depth: int = MAX_DEPTH,
    max_items: int = 20_000_000,
    max_work: int = MAX_WORK,
) -> object:
    """Read a value from bytes that may be hostile.

    Args:
        data: a whole payload.
        max_depth: deepest nesting.
        max_items: most items of all containers together, and most labels of an index; arrays may
            have four times as many cells together.
        max_work: most work in all, in microseconds of a slow machine.

    Raises:
        DecodeError: the bytes are no payload, or one past the limits. Nothing else is raised.
    """
    (value,) = decode_all([data], max_depth=max_depth, max_items=max_items, max_work=max_work)
    return value


def decode_all(
    payloads: Sequence[bytes | memoryview],
    *,
    max_depth: int = MAX_DEPTH,
    max_items: int = 20_000_000,
    max_work: int = MAX_WORK,
) -> list[object]:
    """Read several payloads that came together, within the limits of one.

    Args:
        payloads: whole payloads.
        max_depth: as in :func:`decode`.
        max_items: as in :func:`decode`, for all of them.
        max_work: as in :func:`decode`, for all of them.

    Raises:
        DecodeError: one of them is no payload, or all together are past the limits.
    """
    decoder: Decoder | None = None
    values = []
    try:
        for data in payloads:
            decoder = Decoder(bytes(data), max_depth, max_items, max_work, after=decoder)
            values.append(decoder.payload())
    except DecodeError:
        raise
    except Exception as error:  # noqa: BLE001 - constructors raise many kinds; none may escape
        raise DecodeError(f"a value that cannot be: {type(error).__name__}") from None
    return values
