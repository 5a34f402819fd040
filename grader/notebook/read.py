"""A notebook file → checked cells. What is wrong with it is repaired with a note, or refused.

Nothing in the file decides what runs but the sources of its code cells, in order: kernel names,
tags and other metadata are looked at for notes only. Damaged text, another format than nbformat 3
or 4, and sizes beyond all reason are refused; the message says how to mend it.
"""

from __future__ import annotations

import importlib
import json
import re
from typing import TYPE_CHECKING, Any

from grader.intake.entries import reject, shown
from grader.models import Cell, Notebook
from grader.notebook.automagic import bound_names
from grader.notebook.magics import plain_source
from grader.notebook.outputs import Allowance, clean_outputs, clean_text
from grader.notebook.weight import weigh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["read_notebook"]

MAX_BYTES = 32 << 20
MAX_CELLS = 1000
_MAX_OLD_VALUES = 10_000  # of nbformat 3: nbformat's own check takes 0.15 ms of a bad one each
MAX_CODE = 1 << 19
_KINDS = ("code", "markdown", "raw")
# A picture in a text, as Colab keeps it; Jupyter keeps it beside the text.
_PASTED = re.compile(r"data:image/[a-z0-9.+-]{1,20};base64,[A-Za-z0-9+/=]*+")
_IGNORED_TAGS = ("raises-exception", "skip-execution", "remove-cell")
_FIX = "open it in Jupyter, save it and send it again"
_Json = dict[str, Any]


def read_notebook(path: str, data: bytes) -> Notebook:
    """Read one notebook.

    Raises:
        SubmissionRejected: ``notebook-damaged``, ``notebook-version`` or ``notebook-size``.
    """
    notes: list[str] = []
    raw, raw_values = _parse(path, data)
    cells = _cells(raw, path, notes, raw_values)
    if len(cells) > MAX_CELLS:
        reject("notebook-size", path, f"has more than {MAX_CELLS} cells; split it")
    sources = _sources(cells, path)
    if unknown := len(cells) - len(sources):
        notes.append(f"{_counted(unknown, 'cell')} of no known type left out")
    allowance = Allowance()
    found: list[Cell] = []
    bound = bound_names(text for item, text in sources if item["cell_type"] == "code")
    number = 0
    for item, source in sources:
        if item["cell_type"] == "code":
            number += 1
            found.append(_code(item, source, number, allowance, bound))
        else:
            found.append(Cell(item["cell_type"], source))
    if allowance.cut:
        notes.append(f"stored outputs of {_numbers(allowance.cut)} were too large to keep whole")
    notes += _metadata_notes(raw, cells)
    notes += _inert_notes(found)
    return Notebook(path, tuple(found), tuple(f"{shown(path)}: {note}" for note in notes))


def _parse(path: str, data: bytes) -> tuple[_Json, int]:
    """The file's object, and at most how many lists and objects are in it."""
    if len(data) > MAX_BYTES:
        reject(
            "notebook-size",
            path,
            f"is larger than {MAX_BYTES >> 20} MiB; clear the outputs of its cells and send it",
        )
    weight = weigh(data)
    if weight.is_too_much:
        reject("notebook-size", path, "holds too many values; clear its outputs and send it")
    text = data.removeprefix(b"\xef\xbb\xbf")
    if re.search(rb"^(<{7} |={7}$|>{7} )", text, re.MULTILINE):
        reject(
            "notebook-damaged",
            path,
            "holds the marks of an unresolved git merge (<<<<<<<); resolve it and send it again",
        )
    try:
        raw = json.loads(text.decode("utf-8"), object_pairs_hook=_without_twins)
    except UnicodeDecodeError:
        reject("notebook-damaged", path, f"is not UTF-8 text; {_FIX}")
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        reject("notebook-damaged", path, f"is damaged: no JSON from {place} on; {_FIX}")
    except RecursionError:
        reject("notebook-damaged", path, f"is nested too deeply to be a notebook; {_FIX}")
    except ValueError as error:
        reject("notebook-damaged", path, f"is damaged: {shown(str(error))}; {_FIX}")
    if not isinstance(raw, dict):
        reject("notebook-damaged", path, f"is JSON, but no notebook; {_FIX}")
    return raw, weight.containers


def _without_twins(pairs: list[tuple[str, Any]]) -> _Json:
    """Two readers may disagree about which of two equal keys counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("the same key twice in one object")
    return found


def _cells(raw: _Json, path: str, notes: list[str], size: int) -> Sequence[Any]:
    version = raw.get("nbformat")
    if version is None:
        version = 3 if "worksheets" in raw else 4 if "cells" in raw else None
        if version:
            notes.append(f"it names no nbformat; read as version {version}")
    if version == 3:  # noqa: PLR2004 - nbformat's own numbers
        if size > _MAX_OLD_VALUES:
            reject("notebook-size", path, f"is too large for nbformat 3; {_FIX}")
        raw = _upgraded(raw, path)
        notes.append("upgraded from nbformat 3")
    elif version != 4:  # noqa: PLR2004
        reject(
            "notebook-version",
            path,
            f"has nbformat {shown(str(version))}; 3 and 4 are read: {_FIX}",
        )
    cells = raw.get("cells")
    if not isinstance(cells, list):
        reject("notebook-damaged", path, f"holds no list of cells; {_FIX}")
    if not isinstance(raw.get("metadata"), dict):
        notes.append("its metadata is missing")
    return cells


def _upgraded(raw: _Json, path: str) -> _Json:
    nbformat: Any = importlib.import_module("nbformat")  # a quarter of a second
    try:
        nbformat.validate(nbformat.from_dict(raw), version=3)
        upgraded = nbformat.convert(nbformat.from_dict(raw), 4)
    except Exception as error:  # noqa: BLE001 - it raises all sorts on malformed notebooks
        said = shown(f"{type(error).__name__}: {error}".splitlines()[0])
        reject("notebook-damaged", path, f"is no valid nbformat 3 ({said}); {_FIX}")
    found: _Json = json.loads(json.dumps(upgraded))
    return found


def _sources(cells: Iterable[Any], path: str) -> list[tuple[_Json, str]]:
    """The cells of known types and their text, refused by its size before it is looked at."""
    found, size = [], 0
    for item in cells:
        source = clean_text(item.get("source", "")) if isinstance(item, dict) else None
        if source is None or item.get("cell_type") not in _KINDS:
            continue
        if item["cell_type"] != "code":
            source = _PASTED.sub("attachment:picture", source)
        size += len(source)
        if size > MAX_CODE:
            reject(
                "notebook-size", path, f"has more than {MAX_CODE:,} characters of text; split it"
            )
        found.append((item, source))
    return found


def _code(
    item: _Json, source: str, number: int, allowance: Allowance, bound: frozenset[str]
) -> Cell:
    plain = plain_source(source, bound)
    count = item.get("execution_count")
    return Cell(
        "code",
        source,
        number,
        plain=plain.text,
        timed=plain.timed,
        inert=plain.notes,
        count=count if type(count) is int and 0 <= count < 1 << 31 else None,
        outputs=clean_outputs(item.get("outputs"), number, allowance),
    )


def _metadata_notes(raw: _Json, cells: Iterable[Any]) -> Iterator[str]:
    metadata = raw.get("metadata")
    if isinstance(metadata, dict):
        kernel, language = metadata.get("kernelspec"), metadata.get("language_info")
        told = [
            value.get(key)
            for value, key in ((kernel, "language"), (language, "name"), (kernel, "name"))
            if isinstance(value, dict)
        ]
        other = [t for t in told if isinstance(t, str) and not t.lower().startswith("python")]
        if other:
            yield f"it names the kernel {shown(other[0])}; it was run as Python all the same"
    tags: set[str] = set()
    for cell in cells:
        inner = cell.get("metadata") if isinstance(cell, dict) else None
        named = inner.get("tags") if isinstance(inner, dict) else None
        if isinstance(named, list):
            tags.update(tag for tag in _IGNORED_TAGS if tag in named)
    if tags:
        yield f"cell tags that ask for another run are ignored: {', '.join(sorted(tags))}"


def _inert_notes(cells: Iterable[Cell]) -> Iterator[str]:
    found: dict[str, set[int]] = {}
    for cell in cells:
        for name in cell.inert:
            found.setdefault(name, set()).add(cell.number)
    for name, numbers in sorted(found.items()):
        what = "shell escapes (!)" if name == "!" else name
        verb = "do" if name == "!" else "does"
        yield f"{what} in {_numbers(numbers)} {verb} nothing here"


def _numbers(numbers: Iterable[int]) -> str:
    ordered = sorted(numbers)
    more = f" and {len(ordered) - 6} more" if len(ordered) > 6 else ""  # noqa: PLR2004 - fits a line
    listed = ", ".join(map(str, ordered[:6])) + more
    return f"cell {listed}" if len(ordered) == 1 else f"cells {listed}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
