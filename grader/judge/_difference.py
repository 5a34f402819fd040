"""The first difference between two decoded values: typed, exact, and in bounded time.

Sizes are compared before contents, so the work is bounded by the expected value. Decoded values
are plain data; comparing them runs no code of a candidate's.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas  # noqa: ICN001 - the name pd is taken below

from grader.judge import _cells
from grader.judge._show import cell, kind, show
from grader.wire.values import FileTree, Handle, KeptDict, KeptList, Recipe, Record, Stream

if TYPE_CHECKING:
    from collections.abc import Callable

pd: Any = pandas  # its stubs know nothing of arrays' insides
_NUMBERS = (int, float, complex, np.integer, np.floating, np.complexfloating)


@dataclass(frozen=True)
class Rules:
    """How alike is alike enough.

    Attributes:
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        numbers: whether 1, 1.0 and ``np.float64(1)`` are one (a bool never is a number).
        sequences: whether list, tuple and named tuple are one.
        missing: whether NaN, NA, NaT and None are one.
    """

    rtol: float = 0.0
    atol: float = 0.0
    numbers: bool = False
    sequences: bool = False
    missing: bool = False


def difference(actual: Any, expected: Any, rules: Rules, at: str = "") -> str | None:  # noqa: ANN401 - any data
    """Say what differs first, in one sentence, or None.

    Args:
        actual: decoded data.
        expected: the judge's own value.
        rules: what counts as equal.
        at: where in the whole value this is, like ``[3]['a']``.
    """
    where = f"at {at}: " if at else ""
    actual, expected = _positions(_plain(actual), rules), _positions(_record(expected), rules)
    if rules.missing and _is_missing(actual) and _is_missing(expected):
        return None
    if _comparable_numbers(actual, expected, rules):
        equal = _close(actual, expected, rules)
    elif type(actual) is not type(expected):
        return f"{where}expected {_typed(expected)}, got {_typed(actual)}"
    else:
        for cls, compare in CONTAINERS:
            if isinstance(expected, cls):
                return compare(actual, expected, rules, at)
        equal = _equal(actual, expected)
    return None if equal else f"{where}expected {show(expected)}, got {show(actual)}"


def array_difference(actual: Any, expected: Any, rules: Rules, at: str = "") -> str | None:  # noqa: ANN401 - arrays
    """Say what differs first between two ndarrays whose dtypes may be compared."""
    where = f"at {at}: " if at else ""
    if actual.shape != expected.shape:
        return f"{where}expected shape {expected.shape}, got {actual.shape}"
    if not rules.numbers and not _cells.same_dtype(actual, expected):
        return f"{where}expected dtype {expected.dtype}, got {actual.dtype}"
    bad = _cells.differing(
        actual.ravel(),
        expected.ravel(),
        rules.rtol,
        rules.atol,
        lambda left, right: difference(left, right, rules) is None,
    )
    count = int(np.count_nonzero(bad))
    if not count:
        return None
    first = int(np.argmax(bad))
    place = tuple(int(axis) for axis in np.unravel_index(first, expected.shape))
    return (
        f"{where}{count} of {expected.size} items differ, the first at {list(place)}: "
        f"expected {cell(expected[place])}, got {cell(actual[place])}"
    )


def _typed(value: object) -> str:
    shown, what = show(value), kind(value)
    return shown if shown == what else f"{shown} ({type(value).__name__})"


def _plain(value: Any) -> Any:  # noqa: ANN401 - any data
    if type(value) is KeptDict:
        return dict(value)
    return list(value) if type(value) is KeptList else value


def _record(value: Any) -> Any:  # noqa: ANN401 - any data
    """Turn a dataclass instance or named tuple of the judge's own into what crosses the wire."""
    if isinstance(value, Record | Handle | FileTree | Stream | Recipe):
        return value
    names = getattr(type(value), "_fields", None)
    if isinstance(value, tuple) and names:
        fields = dict(zip(names, value, strict=True))
        return Record(type(value).__name__, fields, is_tuple=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return Record(type(value).__name__, fields)
    return value


def _positions(value: Any, rules: Rules) -> Any:  # noqa: ANN401 - any data
    if not rules.sequences:
        return value
    if isinstance(value, Record) and value.is_tuple:
        return list(value)
    return list(value) if type(value) is tuple else value


def _is_missing(value: object) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _comparable_numbers(actual: object, expected: object, rules: Rules) -> bool:
    for value in (actual, expected):
        if isinstance(value, bool | np.bool_ | np.timedelta64) or not isinstance(value, _NUMBERS):
            return False
    return rules.numbers or type(actual) is type(expected)


def _close(actual: Any, expected: Any, rules: Rules) -> bool:  # noqa: ANN401 - numbers
    """Compare two numbers; an integer pair exactly, NaN only with NaN."""
    integers = (int, np.integer)
    if isinstance(actual, integers) and isinstance(expected, integers):
        return int(actual) == int(expected)
    try:
        left, right = complex(actual), complex(expected)
        parts = ((left.real, right.real), (left.imag, right.imag))
        if any(math.isnan(part) for pair in parts for part in pair):
            return all(a == e or (math.isnan(a) and math.isnan(e)) for a, e in parts)
        finite = all(math.isfinite(part) for pair in parts for part in pair)
        near = finite and abs(left - right) <= rules.atol + rules.rtol * abs(right)
    except OverflowError:  # an int beyond every float
        return False
    return bool(near or actual == expected)


def _equal(actual: Any, expected: Any) -> bool:  # noqa: ANN401 - any scalar
    """Compare two scalars of one type."""
    if actual is expected:
        return True
    if isinstance(expected, decimal.Decimal) and (actual.is_nan() or expected.is_nan()):
        return str(actual) == str(expected)
    if isinstance(expected, np.datetime64 | np.timedelta64):
        if np.isnat(actual) or np.isnat(expected):
            return bool(np.isnat(actual) and np.isnat(expected))
        return bool(actual == expected and actual.dtype == expected.dtype)
    if isinstance(expected, dt.datetime | dt.time) and str(actual.tzinfo) != str(expected.tzinfo):
        return False
    return bool(actual == expected)


def _sequence(actual: Any, expected: Any, rules: Rules, at: str) -> str | None:  # noqa: ANN401 - sequences
    if len(actual) != len(expected):
        where = f"at {at}: " if at else ""
        return f"{where}expected {len(expected)} items, got {len(actual)}"
    for place, (left, right) in enumerate(zip(actual, expected, strict=True)):
        found = difference(left, right, rules, f"{at}[{place}]")
        if found:
            return found
    return None


def _mapping(actual: Any, expected: Any, rules: Rules, at: str) -> str | None:  # noqa: ANN401 - dicts
    where = f"at {at}: " if at else ""
    if len(actual) != len(expected):
        return f"{where}expected {len(expected)} keys, got {len(actual)}"
    keys = {key: key for key in actual}
    for key, right in expected.items():
        # 1 and True are one key to a dict, but not one answer.
        if key not in keys or difference(keys[key], key, Rules(numbers=rules.numbers)):
            return f"{where}no key {show(key)}"
        found = difference(actual[key], right, rules, f"{at}[{show(key)}]")
        if found:
            return found
    return None


def _members(actual: Any, expected: Any, _rules: Rules, at: str) -> str | None:  # noqa: ANN401 - sets
    where = f"at {at}: " if at else ""
    if len(actual) != len(expected):
        return f"{where}expected {len(expected)} members, got {len(actual)}"
    members = {member: member for member in actual}
    for member in expected:
        if member not in members or difference(members[member], member, Rules()):
            return f"{where}no member {show(member)}"
    return None


def _record_difference(actual: Record, expected: Record, rules: Rules, at: str) -> str | None:
    return _mapping(actual.fields, expected.fields, rules, f"{at}.fields")


# `grader.judge._labelled` adds frames, series and indexes, which hold values of any kind.
CONTAINERS: list[tuple[Any, Callable[[Any, Any, Rules, str], str | None]]] = [
    ((list, tuple), _sequence),
    (dict, _mapping),
    ((set, frozenset), _members),
    (Record, _record_difference),
    (np.ndarray, array_difference),
]
