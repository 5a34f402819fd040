"""Python source files as text, decoded as Python decodes them. Standard library only.

Known are the encodings in which ASCII bytes always are themselves and that keep no state, so that
every editor which follows the declaration shows what Python runs. Others (utf-7, unicode_escape,
iso-2022) can show a reader something else.
"""

from __future__ import annotations

import codecs
import re

__all__ = ["SourceError", "decode_source"]

_BOM = codecs.BOM_UTF8
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#|$)")
_KNOWN = frozenset(
    codecs.lookup(name).name
    for name in (
        *("utf-8", "utf-8-sig", "ascii"),
        *(f"iso8859-{number}" for number in (*range(1, 12), *range(13, 17))),
        *(f"cp{number}" for number in (*range(1250, 1259), 437, 737, 775, 850, 852, 855, 857, 858)),
        *(f"cp{number}" for number in (*range(860, 867), 869, 874)),
        *("koi8-r", "koi8-u", "koi8-t", "kz1048", "ptcp154", "tis-620", "hp-roman8"),
        *("mac-roman", "mac-cyrillic", "mac-greek", "mac-latin2", "mac-turkish", "mac-iceland"),
        *("gbk", "gb2312", "gb18030", "big5", "big5hkscs", "cp950", "cp949", "euc-kr"),
        *("euc-jp", "shift-jis", "cp932"),
    )
)


class SourceError(ValueError):
    """The file declares an encoding that is not known here, or is no text in its own encoding."""


def decode_source(data: bytes) -> str:
    """Decode a source file by its byte order mark or its declaration (PEP 263), else as UTF-8.

    Returns:
        Its text without the mark; every line ends in a newline.

    Raises:
        SourceError: the message says what is wrong, without the file's name.
    """
    marked = data.startswith(_BOM)
    body = data.removeprefix(_BOM)
    declared = _declared(body)
    try:
        name = codecs.lookup(declared or "utf-8").name
    except (LookupError, ValueError):
        raise SourceError("the file declares an encoding that nobody knows") from None
    if name not in _KNOWN:
        raise SourceError("the file is written in an unusual encoding")
    if marked and not name.startswith("utf-8"):
        raise SourceError("the file is no text in its own encoding")
    try:
        text = body.decode(name)
    except UnicodeDecodeError:
        raise SourceError("the file is no text in its own encoding") from None
    # Python's own reading of line ends, so that line numbers agree everywhere.
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _declared(body: bytes) -> str:
    """The encoding that one of the first two lines names; empty where none does."""
    for line in re.split(rb"\r\n|\r|\n", body[: 1 << 16], maxsplit=2)[:2]:
        if match := _COOKIE.match(line):
            return match[1].decode("ascii", "replace")
        if not _BLANK.match(line):
            break
    return ""
