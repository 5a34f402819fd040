"""The executed notebook in a frame: no script, no request, no way out, and no names while blind.

The page was cleaned in a container and was checked when it was written, and is checked again: every
tag has one of the few forms that the sanitiser writes, or there is no frame. Its document is
answered with a policy that puts it into a sandbox of its own, so that it has no origin, whoever
opens it. Where names are hidden they are masked in what a reader sees, also where markup stands
between the letters, and pictures lose what they hold beside their pixels.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import struct
from typing import TYPE_CHECKING

from grader.notebook.page import page_of
from grader.review.mask import MASK, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.review.mask import Mask

__all__ = ["FRAME_POLICY", "frame_of", "without_names"]

FRAME_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
_TITLE = "The notebook as it ran"
_BODY = re.compile(r"<body><main>(.*)</main></body></html>\n?\Z", re.DOTALL)
_MOST_CHARS = 8 << 20  # with pictures
_MOST_TEXT = 400_000
_PART = re.compile(
    r"</?([a-z0-9]+)[^>]*>|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z0-9]{1,31});|[^<&]+|[<&]", re.IGNORECASE
)
_INLINE = frozenset({"span", "code", "strong", "em", "b", "i", "del", "sub", "sup", "kbd"})
_PICTURE = re.compile(
    r'(<img src="data:image/(?:png|jpeg);base64,)([A-Za-z0-9+/=]*)(" alt="figure">)'
)
_CLASS = re.compile(r' class="([^"]*)"')
_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"sRGB", b"pHYs"}
_JPEG_SCAN = 0xDA


def frame_of(stored: str, mask: Mask | None) -> str:
    """The document of the frame; empty where there is none that is safe and short enough.

    Args:
        stored: the file ``notebook.html`` of a run.
        mask: takes names out; None where names are shown.
    """
    found = _BODY.search(stored)
    if found is None or len(stored) > _MOST_CHARS:
        return ""
    fragment = found[1]
    if len(_PICTURE.sub("", fragment)) > _MOST_TEXT or not page_of(fragment, _TITLE):
        return ""
    return page_of(fragment if mask is None else without_names(fragment, mask), _TITLE)


def without_names(fragment: str, mask: Mask) -> str:
    """A fragment of known tags with names masked in what a reader sees of it."""
    fragment = _PICTURE.sub(lambda m: f"{m[1]}{_only_pixels(m[2])}{m[3]}", fragment)
    fragment = _CLASS.sub(lambda m: m[0] if mask(m[1]) == m[1] else "", fragment)
    letters, places = _seen(fragment)
    kept: list[str] = []
    end = 0
    for first, last in mask.spans(letters):
        mark = MASK
        for begin, after in dict.fromkeys(places[first:last]):
            kept += [fragment[end:begin], mark]  # the tags between the letters stay
            end, mark = after, ""
    return "".join([*kept, fragment[end:]])


def _seen(fragment: str) -> tuple[str, list[tuple[int, int]]]:
    """The letters that a reader sees, and the begin and end of each of them in the fragment."""
    letters: list[str] = []
    places: list[tuple[int, int]] = []
    for part in _PART.finditer(fragment):
        if part[1] is not None:
            if part[1].lower() not in _INLINE:
                letters.append("\n")
                places.append((part.end(), part.end()))
        else:
            for text, begin, after in _characters(part[0], part.start()):
                letters.append(text)
                places += [(begin, after)] * len(text)
    return "".join(letters), places


def _characters(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    if len(text) > 1 and text[0] == "&":
        yield "".join(map(plain, html.unescape(text))), at, at + len(text)
        return
    for place, char in enumerate(text, at):
        yield plain(char), place, place + 1


def _only_pixels(packed: str) -> str:
    """A picture without authors, comments and other texts; nothing where it cannot be read."""
    try:
        data = base64.b64decode(packed, validate=True)
        bare = _png(data) if data.startswith(_PNG) else _jpeg(data)
    except (binascii.Error, struct.error, IndexError, ValueError):
        return ""
    return base64.b64encode(bare).decode("ascii")


def _png(data: bytes) -> bytes:
    """The chunks of a PNG file that make its pixels."""
    kept = [_PNG]
    place = len(_PNG)
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        after = place + 12 + length
        if after > len(data):
            raise ValueError("a chunk is cut off")
        if kind in _PIXELS:
            kept.append(data[place:after])
        if kind == b"IEND":
            break
        place = after
    return b"".join(kept)


def _jpeg(data: bytes) -> bytes:
    """The segments of a JPEG file but for comments and what applications wrote."""
    kept = [data[:2]]
    place = 2
    while True:
        marker, kind, length = struct.unpack_from(">BBH", data, place)
        if marker != 0xFF:  # noqa: PLR2004 - each segment begins with it
            raise ValueError("no segment")
        if kind == _JPEG_SCAN:  # what follows are pixels
            return b"".join([*kept, data[place:]])
        if not (0xE1 <= kind <= 0xEF or kind == 0xFE):  # noqa: PLR2004 - APP1-APP15 and comments
            kept.append(data[place : place + 2 + length])
        place += 2 + length
