"""The executed notebook as a fragment of HTML: nbconvert's rendering, then an allow-list.

Everything shown is a candidate's. Markdown, tables and highlighted code keep a short list of
elements and two kinds of attributes; links, styles and scripts go, and nothing is left that a
browser would load or run. Pictures do not pass through the sanitiser: they are put in at the end,
from base64 that was checked.
"""

from __future__ import annotations

import functools
import html
import importlib
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.analyst.notebook import Notebook

__all__ = ["fragment"]

Output: TypeAlias = dict[str, object]
_TAGS = frozenset(
    {
        *("div", "span", "p", "pre", "code", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li"),
        *("blockquote", "hr", "br", "strong", "em", "b", "i", "del", "sub", "sup", "kbd"),
        *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "dl", "dt", "dd"),
    }
)
_CLASS = re.compile(r"[A-Za-z0-9_ -]{1,200}")
_SPAN = re.compile(r"[0-9]{1,3}")
_DROPPED = re.compile(
    r"<(script|style|iframe|object|svg|math)\b.*?(</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE
)
# Elements whose content is no HTML: an unclosed one takes in all that follows it.
_RAW = re.compile(
    r"<(?=script|style|iframe|object|svg|math|textarea|title|xmp|plaintext|template|select"
    r"|no(?:script|embed|frames)|[!?])",
    re.IGNORECASE,
)
_HTML, _MARKUP = "text/html", ("text/markdown", "text/latex")
_PICTURE = re.compile(
    r"!\[([^\]\n]{0,200})\]\(\s*<?attachment:[^)\n]{0,300}\)"
    r"|<img\b[^>]{0,500}\battachment:[^>]{0,500}>",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"^( {0,3}\[[^\]\n]{1,200}\]:\s*<?)attachment:", re.MULTILINE)
_SHARE = Path("/opt/site/share/jupyter")  # in the image; elsewhere jupyter finds its own
_PICTURES = ("image/png", "image/jpeg")


def fragment(notebook: Notebook, outputs: Mapping[str, object], stored: Mapping[str, str]) -> str:
    """Render a notebook with the outputs of its fresh run.

    Args:
        notebook: its cells and failures.
        outputs: number of a code cell → its outputs, of known kinds.
        stored: number of a code cell → what it had stored, where that is something else.

    Returns:
        Elements of the allow-list only, each tag in one fixed form.
    """
    if _SHARE.is_dir():
        os.environ["JUPYTER_PATH"] = str(_SHARE)
    own = _Own()
    errors = {number: (line, text) for number, line, text in notebook.errors}
    groups: list[list[Output]] = [[]]
    for cell in notebook.cells:
        if cell.kind != "code":
            text = _without_pictures(cell.source)
            source = text if cell.kind == "markdown" else f"```\n{cell.source}\n```"
            made: Output = {"cell_type": "markdown", "metadata": {}, "source": source}
            if _RAW.search(source):  # it may end in the middle of an element: alone, then
                groups += [[made], []]
            else:
                groups[-1].append(made)
            continue
        found = outputs.get(str(cell.number))
        shown = [own.apart(_closed(o)) for o in found] if isinstance(found, list) else []
        if cell.number in errors:
            line, text = errors[cell.number]
            where = f"line {line}: " if line else ""
            shown.append(own.note("failed", "This cell failed", f"{where}{text}"))
        if str(cell.number) in stored:
            shown.append(own.note("stored", "Stored in the file instead", stored[str(cell.number)]))
        groups[-1].append(
            {
                "cell_type": "code",
                "metadata": {},
                "source": cell.source,
                "execution_count": cell.number,
                "outputs": shown,
            }
        )
    return own.back("\n".join(_clean(_rendered(cells)) for cells in groups if cells))


def _without_pictures(source: str) -> str:
    """A text that says where a picture of it is left out."""
    source = _PICTURE.sub(
        lambda match: f"*(a picture is left out here{': ' + match[1] if match[1] else ''})*", source
    )
    return _REFERENCE.sub(r"\1picture:", source)


def _closed(output: Output) -> Output:
    """An output whose markup ends with it."""
    data = output.get("data")
    if not isinstance(data, dict):
        return output
    changed = dict(data)
    if _RAW.search(str(changed.get(_HTML, ""))):
        changed[_HTML] = _clean(str(changed[_HTML]))
    for mime in _MARKUP:
        if mime in changed:
            changed[mime] = _RAW.sub("&lt;", _without_pictures(str(changed[mime])))
    return {**output, "data": changed}


class _Own:
    """Pieces of ours that stand behind marks until the rest is clean: pictures and notes."""

    def __init__(self) -> None:
        self._mark = f"piece-{secrets.token_hex(16)}-"
        self._pieces: list[str] = []

    def piece(self, text: str) -> Output:
        """An output that shows a piece."""
        self._pieces.append(text)
        data = {"text/html": f"<p>{self._mark}{len(self._pieces) - 1}</p>"}
        return {"output_type": "display_data", "data": data, "metadata": {}}

    def note(self, kind: str, title: str, text: str) -> Output:
        """A remark below a cell."""
        return self.piece(
            f'<div class="note-{kind}"><p>{title}</p><pre>{html.escape(text)}</pre></div>'
        )

    def apart(self, output: Output) -> Output:
        """An output without its picture, which waits here."""
        data = output.get("data")
        if isinstance(data, dict):
            for mime in _PICTURES:
                if mime in data:
                    packed = re.sub(r"[^A-Za-z0-9+/=]", "", str(data[mime]))
                    return self.piece(f'<img src="data:{mime};base64,{packed}" alt="figure">')
        return output

    def back(self, text: str) -> str:
        """Put all pieces where their marks are."""
        return re.sub(
            rf"<p>{self._mark}([0-9]+)</p>", lambda match: self._pieces[int(match[1])], text
        )


@functools.cache
def _exporter() -> Any:  # noqa: ANN401 - nbconvert is untyped
    exporter: Any = importlib.import_module("nbconvert").HTMLExporter(template_name="basic")
    exporter.sanitize_html = False  # its own list knows no paragraphs; `_clean` sees all of it
    return exporter


def _rendered(cells: list[Output]) -> str:
    nbformat: Any = importlib.import_module("nbformat")
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    body, _resources = _exporter().from_notebook_node(nbformat.from_dict(notebook))
    return str(body)


def _clean(text: str) -> str:
    bleach: Any = importlib.import_module("bleach")
    return str(
        bleach.clean(
            _DROPPED.sub("", text), tags=_TAGS, attributes=_allowed, strip=True, strip_comments=True
        )
    )


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return bool(_CLASS.fullmatch(value)) and "note-" not in value  # notes are ours
    return name in {"colspan", "rowspan"} and tag in {"th", "td"} and bool(_SPAN.fullmatch(value))
