from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.wire.frames import (
    HEADER,
    Frame,
    FrameError,
    Kind,
    Measure,
    pack_bundle,
    pack_json,
    read_header,
    unpack_bundle,
    unpack_json,
)


@given(
    st.sampled_from(Kind),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=100),
    st.integers(0, 2**32 - 1),
)
def test_header_round_trips(kind: Kind, number: int, body: bytes, deadline: int) -> None:
    header = Frame(kind, number, body, deadline).header()
    assert read_header(header, limit=100) == (len(body), deadline, number, kind)


def test_body_above_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(FrameError, match="above the limit of 10"):
        read_header(Frame(Kind.REPLY, 1, b"x" * 11).header(), limit=10)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(FrameError, match="kind 200"):
        read_header(HEADER.pack(0, 0, 1, 200), limit=10)


@given(st.dictionaries(st.text(), st.binary(max_size=50)))
def test_bundle_round_trips(files: dict[str, bytes]) -> None:
    assert unpack_bundle(pack_bundle({"a": 1}, files)) == ({"a": 1}, files)


@given(st.binary(max_size=200))
def test_bundle_of_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(FrameError):
        unpack_bundle(noise)


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_cut_bundle_is_refused(cut: int) -> None:
    body = pack_bundle({}, {"a": b"123456789", "b": b"x" * 30})
    with pytest.raises(FrameError):
        unpack_bundle(body[:-cut])


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"[" * 100_000, b'"text"'])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(FrameError):
        unpack_json(body)


def test_json_is_canonical() -> None:
    assert pack_json({"b": "é", "a": 1}) == b'{"a":1,"b":"\\u00e9"}'


def test_measure_leads_the_body() -> None:
    measure = Measure(5, 7, 9)
    assert Measure.unpack(measure.pack() + b"rest") == (measure, b"rest")


def test_body_without_a_measure_is_refused() -> None:
    with pytest.raises(FrameError):
        Measure.unpack(b"short")
