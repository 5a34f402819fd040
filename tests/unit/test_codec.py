"""Python values through the codec: exactly what went in comes out."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import math
import pathlib
import uuid
import zoneinfo
from typing import Any, NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from test_codec_strict import describe

from grader.wire import codec
from grader.wire.values import FileTree, Handle, Recipe, Record, Stream

ZONES = [None, dt.UTC, zoneinfo.ZoneInfo("Europe/Berlin"), dt.timezone(dt.timedelta(hours=-3)),
         dt.timezone(dt.timedelta(minutes=7), "odd")]  # fmt: skip
ANY_TEXT = st.text(st.characters(), max_size=12)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(1 << 200), 1 << 200),
    st.floats(),
    st.complex_numbers(),
    ANY_TEXT,
    st.binary(max_size=12),
    st.decimals(),
    st.fractions(),
    st.uuids(),
    st.datetimes(timezones=st.sampled_from(ZONES)),
    st.dates(),
    st.times(timezones=st.sampled_from([None, dt.UTC])),
    st.timedeltas(),
    st.builds(range, st.integers(-9, 9), st.integers(), st.integers(1, 9)),
    st.sampled_from([..., int, str, np.float64, np.bool_, object, dt.datetime]),
    st.builds(Handle, st.integers(0, 1 << 63), st.text(max_size=80), st.booleans(), st.integers()),
)
HASHABLE = st.one_of(
    SCALARS.filter(lambda value: not (isinstance(value, decimal.Decimal) and value.is_snan())),
    st.tuples(st.integers(), ANY_TEXT),
    st.frozensets(st.integers()),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(HASHABLE, inner, max_size=4),
        st.sets(HASHABLE, max_size=4),
        st.frozensets(HASHABLE, max_size=4),
        st.builds(bytearray, st.binary(max_size=5)),
        st.builds(slice, inner, inner, inner),
        st.builds(Record, ANY_TEXT, st.dictionaries(st.sampled_from("abc"), inner), st.booleans()),
    ),
    max_leaves=20,
)


def round_trip(value: object) -> Any:
    return codec.decode(codec.encode(value))


@pytest.mark.slow
@given(VALUES)
@settings(max_examples=600, derandomize=True)
def test_data_comes_back_exactly(value: object) -> None:
    assert describe(round_trip(value)) == describe(value)


@pytest.mark.slow
@given(
    st.one_of(*(st.lists(items) for items in (st.integers(), st.floats(), ANY_TEXT, st.booleans())))
)
@settings(max_examples=200, derandomize=True)
def test_packed_lists_come_back_exactly(items: list[Any]) -> None:
    assert describe(round_trip(items)) == describe(items)


class Point(NamedTuple):
    x: int
    y: str


@dataclasses.dataclass
class Prediction:
    label: str
    scores: list[float]


@dataclasses.dataclass
class Model:
    weight: float

    def predict(self) -> float:
        return self.weight


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Liar(list):  # type: ignore[type-arg]
    def __eq__(self, other: object) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter([99])

    __hash__ = None  # type: ignore[assignment]


class LoudStr(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "loud"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


PLAIN = [
    (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (collections.defaultdict(list, a=[1]), {"a": [1]}),
    (collections.Counter("aab"), {"a": 2, "b": 1}),
    (Level.HIGH, 3),
    (Liar([1, 2]), [1, 2]),
    (LoudStr("quiet"), "quiet"),
    ([LoudStr("quiet"), "b"], ["quiet", "b"]),
    (pathlib.Path("a/b"), pathlib.PurePosixPath("a/b")),
    (np.longlong(3), np.int64(3)),
]


@pytest.mark.parametrize(("value", "plain"), PLAIN, ids=lambda value: type(value).__name__)
def test_subclass_crosses_as_the_plain_base(value: object, plain: object) -> None:
    assert describe(round_trip(value)) == describe(plain)


def test_order_of_an_ordered_dict_is_its_own() -> None:
    ordered = collections.OrderedDict(a=1, b=2)
    ordered.move_to_end("a")
    assert list(round_trip(ordered)) == ["b", "a"]


def test_named_tuple_becomes_a_record_that_unpacks() -> None:
    record = round_trip(Point(1, "a"))
    x, y = record
    assert (x, y, record.x, record[1], record["y"], len(record)) == (1, "a", 1, "a", "a", 2)


def test_dataclass_becomes_a_record_with_fields() -> None:
    record = round_trip(Prediction("cat", [0.5]))
    assert (record.type_name, record.label, record.scores, record.handle) == (
        "Prediction", "cat", [0.5], None)  # fmt: skip


def test_record_refuses_a_field_it_does_not_have() -> None:
    with pytest.raises(AttributeError, match="no field 'other'"):
        _ = round_trip(Prediction("cat", [])).other


def test_record_of_a_dataclass_is_no_sequence() -> None:
    with pytest.raises(TypeError, match="is no tuple"):
        list(round_trip(Prediction("cat", [])))


def test_records_are_equal_by_their_fields() -> None:
    assert Record("A", {"x": 1}) == Record("B", {"x": 1})


def test_dataclass_with_methods_is_a_record_with_a_handle() -> None:
    handle = Handle(7, "Model", callable=False)
    record: Any = codec.decode(codec.encode(Model(0.5), handle=lambda _: handle))
    assert (record.weight, record.handle, record.has_methods) == (0.5, handle, True)


@pytest.mark.parametrize("value", [Prediction("cat", [0.5]), Point(1, "a")])
def test_record_can_carry_the_object_that_it_stands_for(value: object) -> None:
    handle = Handle(7, type(value).__name__, callable=False)
    record: Any = codec.decode(codec.encode(value, handle=lambda _: handle, origins=True))
    back = codec.decode(codec.encode([record], handle=lambda item: item.handle))
    assert (record.handle, record.has_methods, back) == (handle, False, [handle])


class Bag(collections.Counter[str]):
    """Not only what it holds."""


class Rows(list[int]):
    """The same for a list."""


@pytest.mark.parametrize(
    "value", [collections.Counter("abba"), Bag("abba"), Rows([1, 2]), collections.defaultdict(int)]
)
def test_container_of_another_class_carries_the_object_that_it_is(value: Any) -> None:
    handle = Handle(7, type(value).__name__, callable=False)
    kept: Any = codec.decode(codec.encode([value], handle=lambda _: handle, origins=True))[0]
    plain = codec.decode(codec.encode(value, handle=lambda _: handle))
    back = codec.decode(codec.encode([kept], handle=lambda item: item.handle))
    assert (kept, kept.handle, back) == (plain, handle, [handle])
    assert type(plain) is (dict if isinstance(value, dict) else list)


def test_enum_member_becomes_a_record() -> None:
    record = round_trip(Colour.RED)
    assert (record.type_name, record.fields) == ("Colour", {"name": "RED", "value": "red"})


@pytest.mark.parametrize(
    "value", [FileTree({"a/b.txt": b"x", "empty": b""}), Stream(3), Recipe("raiser", {"at": 2})]
)
def test_arguments_that_are_built_elsewhere_cross_as_themselves(value: object) -> None:
    assert round_trip(value) == value


@pytest.mark.parametrize(
    "value", [len, object(), print, (n for n in "a"), math, Colour, type("X", (), {})]
)
def test_what_is_not_data_is_refused_by_name(value: object) -> None:
    with pytest.raises(codec.EncodeError, match=f"{type(value).__name__} is not data"):
        codec.encode(value)


def test_what_is_not_data_becomes_a_handle_at_any_depth() -> None:
    def handle(obj: object) -> Handle:
        return Handle(1, type(obj).__name__, callable(obj))

    result = codec.decode(codec.encode({"a": [len, 1]}, handle=handle))
    assert result == {"a": [Handle(1, "builtin_function_or_method", callable=True), 1]}


def test_long_type_names_are_cut() -> None:
    record = round_trip(dataclasses.make_dataclass("N" * 500, ["x"])(1))
    assert record.type_name == "N" * 80


def test_cycle_is_refused() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    with pytest.raises(codec.EncodeError, match="holds itself"):
        codec.encode(cycle)


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_deepest_value_that_encodes_also_decodes() -> None:
    assert round_trip(_nested(64)) == _nested(64)


def test_deeper_value_is_refused() -> None:
    with pytest.raises(codec.EncodeError, match="deeper than 64"):
        codec.encode(_nested(65))


@pytest.mark.parametrize(
    "value",
    ["é" * 3000, b"x" * 3000, [1] * 3000, list(range(3000)), ["ab"] * 3000, np.zeros(3000),
     1 << 30000, np.full(3000, "x", object), {n: n for n in range(3000)}],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_value_past_the_limit_is_refused(value: object) -> None:
    with pytest.raises(codec.EncodeTooLargeError):
        codec.encode(value, max_bytes=2000)


def test_small_blowup_by_sharing_is_refused() -> None:
    value: list[object] = [1]
    for _ in range(50):
        value = [value, value]
    with pytest.raises(codec.EncodeTooLargeError):
        codec.encode(value, max_bytes=1 << 16)


ABSURD = [1 << (9 << 20), fractions.Fraction(1, 1 << 40_000), decimal.Decimal("1" * 70_000)]


@pytest.mark.parametrize("value", ABSURD, ids=["int", "Fraction", "Decimal"])
def test_absurd_numbers_are_refused(value: object) -> None:
    with pytest.raises(codec.EncodeTooLargeError):
        codec.encode(value)


def test_memoryview_decodes() -> None:
    assert codec.decode(memoryview(codec.encode([1, "a"]))) == [1, "a"]


def test_uuid_and_lone_surrogate_come_back() -> None:
    value = [uuid.UUID(int=5), "\ud800\udc00", "\udfff"]
    assert round_trip(value) == value
