"""Frames: the only thing that crosses between orchestrator, judge and candidate.

A frame is a fixed header (body length, deadline, number, kind) and a body. Standard library only:
the host reads frames too, and never decodes the body of a candidate's.

Numbers make stale and early answers visible: an answer carries the number of its request, one
request is open at a time, and any other number is a protocol failure.
"""

from __future__ import annotations

import enum
import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "HEADER",
    "MEASURE",
    "Frame",
    "FrameError",
    "Kind",
    "Measure",
    "pack_bundle",
    "pack_ended",
    "pack_json",
    "read_header",
    "unpack_bundle",
    "unpack_ended",
    "unpack_json",
]

# body length in bytes, deadline in milliseconds (requests only), number, kind
HEADER = struct.Struct(">IIQB3x")
# wall nanoseconds, CPU nanoseconds (-1: not measured), peak memory in bytes (-1: not measured)
MEASURE = struct.Struct(">qqq")


class FrameError(Exception):
    """Bytes that are no frame, or a frame that may not come here."""


ANSWERED_FAULT = 11
"""Exit status of a judge's run whose fault followed an answer of the candidate's."""


class Kind(enum.IntEnum):
    """Every kind of frame, grouped by who sends it to whom."""

    # orchestrator → candidate; BEGIN, REQUEST and END come from the judge and are relayed
    SUBMISSION = 1
    BEGIN = 2
    REQUEST = 3
    END = 4
    RUN_NOTEBOOK = 5  # from the orchestrator itself, before the judge asks anything
    # candidate → orchestrator
    READY = 16
    LOADED = 17
    LOAD_ERROR = 18
    REPLY = 19
    FAILURE = 20
    ENDED = 21
    NOTEBOOK_RAN = 22
    # judge → orchestrator
    JUDGE_READY = 32
    SUITE_STORED = 33
    COLLECTED = 34
    EVIDENCE = 35
    CLOCK = 36
    FINISHED = 37
    PAGE = 38  # from the analyst: a notebook as HTML
    # orchestrator → judge
    SUITE = 48
    RUN = 49
    CLOCK_READING = 50


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. ``deadline_ms`` is how long the receiver may take to answer; 0 for answers."""

    kind: Kind
    number: int
    body: bytes = b""
    deadline_ms: int = 0

    def header(self) -> bytes:
        """The packed header, :data:`HEADER.size` bytes."""
        return HEADER.pack(len(self.body), self.deadline_ms, self.number, self.kind)

    def pack(self) -> bytes:
        """Header and body as one byte string."""
        return self.header() + self.body


@dataclass(frozen=True, slots=True)
class Measure:
    """What the orchestrator saw of one exchange, from outside the candidate.

    Attributes:
        wall_ns: from the request's last byte sent to the answer's last byte received.
        cpu_ns: CPU time of the whole container meanwhile, or -1 where no cgroup file is at hand.
        peak_bytes: peak memory of the container during the call, or -1.
    """

    wall_ns: int
    cpu_ns: int = -1
    peak_bytes: int = -1

    def pack(self) -> bytes:
        """The fixed-size form that leads the body of a relayed answer."""
        return MEASURE.pack(self.wall_ns, self.cpu_ns, self.peak_bytes)

    @classmethod
    def unpack(cls, body: bytes) -> tuple[Measure, bytes]:
        """Split a relayed answer's body into the measure and the candidate's own bytes."""
        if len(body) < MEASURE.size:
            raise FrameError("a relayed answer without its measure")
        return cls(*MEASURE.unpack_from(body)), body[MEASURE.size :]


def read_header(header: bytes, *, limit: int) -> tuple[int, int, int, Kind]:
    """Parse a header.

    Args:
        header: exactly :data:`HEADER.size` bytes.
        limit: the largest body that will be read; checked before anything is allocated.

    Returns:
        Body length, deadline in milliseconds, number, kind.

    Raises:
        FrameError: unknown kind, or a body above ``limit``.
    """
    length, deadline_ms, number, kind = HEADER.unpack(header)
    try:
        known = Kind(kind)
    except ValueError:
        raise FrameError(f"unknown frame kind {kind}") from None
    if length > limit:
        raise FrameError(f"a body of {length} bytes is above the limit of {limit}")
    return length, deadline_ms, number, known


def pack_json(value: object) -> bytes:
    """Canonical JSON: sorted keys, ASCII, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode()


def unpack_json(body: bytes) -> dict[str, object]:
    """Parse a JSON object that a trusted side wrote.

    Raises:
        FrameError: not JSON, or not an object.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise FrameError("JSON, but not an object")
    return value


def pack_bundle(meta: Mapping[str, object], files: Mapping[str, bytes]) -> bytes:
    """Pack a JSON header and named files into one body."""
    names = list(files)
    head = pack_json({"meta": meta, "files": [[name, len(files[name])] for name in names]})
    return b"".join([struct.pack(">I", len(head)), head, *(files[name] for name in names)])


def unpack_bundle(body: bytes) -> tuple[dict[str, object], dict[str, bytes]]:
    """The inverse of :func:`pack_bundle`.

    Raises:
        FrameError: lengths that do not add up to the body.
    """
    if len(body) < 4:  # noqa: PLR2004 - the size of the length field
        raise FrameError("a bundle without its header")
    (head_size,) = struct.unpack_from(">I", body)
    head = unpack_json(body[4 : 4 + head_size])
    meta, listing = head.get("meta"), head.get("files")
    if not isinstance(meta, dict) or not isinstance(listing, list):
        raise FrameError("a bundle's header lacks meta or files")
    position = 4 + head_size
    files: dict[str, bytes] = {}
    for name, size in listing:
        files[name] = body[position : position + size]
        position += size
    if position != len(body):
        raise FrameError("a bundle's lengths do not add up")
    return meta, files


_ENDED = struct.Struct(">BI")  # whether bytes came that nobody asked for, bytes of the reports
_REPORTS = 1 << 18


def pack_ended(*, late: bool, reports: Sequence[Sequence[str]], printed: bytes) -> bytes:
    """The end of a test: what its process reported of the code that it ran, and its output."""
    told = pack_json({"reports": reports}) if reports else b""
    return _ENDED.pack(late, len(told)) + told + printed


def unpack_ended(body: bytes) -> tuple[bool, list[tuple[str, str]], bytes]:
    """The inverse of :func:`pack_ended`.

    Raises:
        FrameError: not what it packs.
    """
    if len(body) < _ENDED.size:
        raise FrameError("an end of a test without its head")
    late, size = _ENDED.unpack_from(body)
    if size > _REPORTS or len(body) < _ENDED.size + size:
        raise FrameError("reports that are longer than they may be")
    told = body[_ENDED.size : _ENDED.size + size]
    items = unpack_json(told).get("reports") if told else []
    if not isinstance(items, list):
        raise FrameError("reports that are no list")
    reports = []
    for item in items:
        match item:
            case [str(kind), str(place)]:
                reports.append((kind, place))
            case _:
                raise FrameError("a report that is not a kind and a place")
    return bool(late), reports, body[_ENDED.size + size :]
