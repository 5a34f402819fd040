r"""Text that a candidate influenced, and one encoder for each place where it is shown.

`CandidateText` marks such text. It has no useful ``str()`` on purpose: whoever shows it has to
choose the encoder of the sink. All encoders take any string, also one with lone surrogates, and
all but `for_json` first make visible what a reader could not see: control characters, direction
marks, zero-width characters and line separators become escapes such as ``\x1b`` or ``\u202e``.
A backslash itself stays as it is, so an escape that the candidate typed looks the same.
"""

from __future__ import annotations

import ast
import html
import json
import re
import threading
from dataclasses import dataclass

from rich.text import Text

__all__ = [
    "CandidateText",
    "clip",
    "clip_lines",
    "for_ci_command",
    "for_ci_log",
    "for_csv",
    "for_html",
    "for_json",
    "for_markdown",
    "for_rich",
    "for_script",
    "for_terminal",
    "for_xml",
    "syntax_tree",
]

_PARSING = threading.Lock()

# Printable by category, yet shown as nothing or as a space.
_INVISIBLE = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_AFTER_SEPARATOR = re.compile(r"([;|][ \"]*)(?=[=+@-])")
_MARKDOWN = re.compile(r"[!-/:-@\[-`{-~]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class CandidateText:
    """Text that a candidate chose or influenced.

    Attributes:
        raw: the text as it came; only encoders read it.
    """

    raw: str


def _raw(text: str | CandidateText) -> str:
    return text.raw if isinstance(text, CandidateText) else text


def _escape(char: str) -> str:
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code <= 0xFF:  # noqa: PLR2004 - the widths of Python's own escapes
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - as above


def _visible(text: str | CandidateText, *, lines: bool) -> str:
    """Replace what cannot be seen; with `lines`, line feeds stay and tabs become spaces."""
    raw = _raw(text)
    if lines:
        raw = raw.replace("\r\n", "\n").replace("\t", "    ")
    if raw.isascii() and raw.isprintable():
        return raw  # nothing of that is invisible
    return "".join(
        char
        if (char.isprintable() and char not in _INVISIBLE) or (lines and char == "\n")
        else _escape(char)
        for char in raw
    )


def clip(text: str | CandidateText, limit: int) -> CandidateText:
    """Cut a text to `limit` characters and say how many were cut."""
    raw = _raw(text)
    if len(raw) <= limit:
        return CandidateText(raw)
    return CandidateText(f"{raw[:limit]} ... ({len(raw) - limit:,} more characters)")


def clip_lines(text: str | CandidateText, limit: int) -> CandidateText:
    """Cut a text to `limit` lines and say how many were cut."""
    lines = _raw(text).split("\n")
    if len(lines) <= limit:
        return CandidateText(_raw(text))
    rest = f"... ({len(lines) - limit:,} more lines)"
    return CandidateText("\n".join([*lines[:limit], rest]))


# ``::name …::`` of GitHub, ``##[name]``, ``##vso[`` of Azure, ``##teamcity[``
_COMMAND = re.compile(r":(?=:[A-Za-z][A-Za-z-]*(?: [^\n]*?)?::)|#(?=#\w{0,20}\[)")


def for_terminal(
    text: str | CandidateText, *, lines: bool = False, ascii_only: bool = False
) -> str:
    """Text for a terminal or a plain text file.

    Either may be the log of a CI job: where lines are wrapped, any word can begin one, so what a
    job would take for a command gets a space.

    Args:
        text: any text.
        lines: keep line feeds; otherwise the result is one line.
        ascii_only: also escape everything that is not ASCII.
    """
    shown = _COMMAND.sub(r"\g<0> ", _visible(text, lines=lines))
    return shown.encode("ascii", "backslashreplace").decode() if ascii_only else shown


def for_rich(
    text: str | CandidateText, style: str = "", *, lines: bool = False, ascii_only: bool = False
) -> Text:
    """Text for Rich, in which no console markup, emoji code or highlighting acts."""
    return Text(for_terminal(text, lines=lines, ascii_only=ascii_only), style=style)


def for_json(text: str | CandidateText) -> str:
    """A string for `json.dumps` with ``ensure_ascii``, which escapes all the rest.

    Only lone surrogates are replaced: strict JSON readers refuse them.
    """
    return _SURROGATE.sub(lambda match: _escape(match[0]), _raw(text))


def for_script(value: object) -> str:
    """JSON that can stand inside an HTML ``<script type="application/json">`` element."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def for_html(text: str | CandidateText, *, lines: bool = False) -> str:
    """Text for HTML element content and for quoted attribute values."""
    return html.escape(_visible(text, lines=lines), quote=True)


def for_xml(text: str | CandidateText, *, lines: bool = False) -> str:
    """Text for XML 1.0 content and quoted attribute values: no forbidden character is left."""
    return html.escape(_visible(text, lines=lines), quote=True)


def for_csv(text: str | CandidateText) -> str:
    """One spreadsheet cell that opens as text; write it with ``csv.QUOTE_ALL``.

    Where a spreadsheet separates cells by something else than a comma, it may cut within a text, so
    what follows such a separator is no formula either.
    """
    shown = _AFTER_SEPARATOR.sub(r"\1'", _visible(text, lines=False))
    return f"'{shown}" if shown.lstrip(" ")[:1] in _FORMULA and shown.strip(" ") else shown


def for_markdown(text: str | CandidateText) -> str:
    """Inline code for Markdown, in which no markup, link, mention or table bar acts.

    All ASCII punctuation is written as character references, so it works inside tables and at
    the start of a line, and in renderers that differ in their rules for backslashes.
    """
    shown = _visible(text, lines=False)
    inner = _MARKDOWN.sub(lambda match: f"&#{ord(match[0])};", shown)
    return f"<code>{inner}</code>" if inner else ""


def for_ci_log(text: str | CandidateText) -> str:
    """Lines for the log of a CI job, which acts on commands that it finds there.

    GitHub acts on ``::command`` and ``##[command]``, Azure on ``##vso[``, TeamCity on
    ``##teamcity[``. Every line also starts with a bar, so none can pass for one of ours.
    """
    shown = _visible(text, lines=True)
    broken = re.sub(r"#(?=#)", "# ", re.sub(r":(?=:)", ": ", shown))
    return "\n".join(f"| {line}" for line in broken.split("\n"))


def for_ci_command(text: str | CandidateText) -> str:
    """The data or a property of one of our own GitHub workflow commands."""
    shown = _visible(text, lines=True)
    for char in "%\r\n:,":
        shown = shown.replace(char, f"%{ord(char):02X}")
    return shown


def syntax_tree(source: bytes | str, name: str = "<unknown>") -> ast.Module:
    """The syntax tree of Python source, one thread at a time.

    CPython 3.11 counts the depth of a tree for all threads together, and fails with a
    ``SystemError`` where two of them build one.

    Raises:
        SyntaxError: the source is no Python.
    """
    with _PARSING:
        return ast.parse(source, name)
