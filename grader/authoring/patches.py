"""Unified diffs that apply exactly or not at all, and how to make short ones.

Every line that a hunk keeps or removes must be in the file at the stated line number: nothing is
searched for. Files are bytes, so encodings and line ends are kept as they are. Several patches of
the same files are applied together; all their line numbers are those of the files before any of
them.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["PatchError", "apply", "difference"]

_NOWHERE = "/dev/null"
_HEADER = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@( .*)?")
_NO_NEWLINE = b"\\ No newline at end of file"
_HEADING = re.compile(rb"\s*(?:async def|def|class)\b[^(:]*")
_NEAR = 1  # kept lines between two changes of one hunk, which cost no more than a header
_SHOWN = 80


class PatchError(ValueError):
    """A patch is no unified diff, or does not fit the files."""


@dataclass(frozen=True)
class _Edit:
    """Lines that go and lines that come, at a line of the old file (from 0)."""

    place: str
    start: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]


@dataclass(frozen=True)
class _Change:
    """What happens to one file."""

    place: str
    path: str
    created: bool
    removed: bool
    edits: tuple[_Edit, ...]


def apply(files: Mapping[str, bytes], patches: Mapping[str, bytes]) -> dict[str, bytes]:
    """Apply patches to a tree.

    Args:
        files: path → content.
        patches: name → unified diff; the name heads error messages.

    Returns:
        The new tree. Where two patches add lines at the same place, they are added in order.

    Raises:
        PatchError: a patch is malformed, does not fit a file exactly, or changes a line that
            another one changes too. The message names patch, file, hunk and line.
    """
    changes: dict[str, list[_Change]] = {}
    for name, data in patches.items():
        for change in _Reader(name, data).changes():
            changes.setdefault(change.path, []).append(change)
    result = dict(files)
    for path, found in changes.items():
        after = _changed(files.get(path), found)
        if after is None:
            del result[path]
        else:
            result[path] = after
    return result


def difference(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> bytes:
    """A short unified diff that makes one tree of another; empty if they are equal.

    Hunks have no context lines, but for the line above where lines are only added. The header of
    a hunk names the function or class that it is in.

    Raises:
        PatchError: a path cannot be written in a unified diff.
    """
    return b"".join(
        _file_difference(path, old.get(path), new.get(path))
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    )


class _Reader:
    """Reads one unified diff."""

    def __init__(self, name: str, data: bytes) -> None:
        self._name = name
        self._lines = data.split(b"\n")
        if self._lines.pop():
            raise PatchError(f"{name}: the last line has no line end; the patch is cut off")
        self._at = 0

    def changes(self) -> Iterator[_Change]:
        """One for each file.

        Raises:
            PatchError: the text is no unified diff.
        """
        seen = set()
        while self._at < len(self._lines):
            old, new = self._path(b"--- "), self._path(b"+++ ")
            path = new if old == _NOWHERE else old
            if path == _NOWHERE or new not in {path, _NOWHERE}:
                raise PatchError(
                    f"{self._name}: {old} → {new}: write a renamed file as one that is removed "
                    f"({_NOWHERE} below) and one that is added ({_NOWHERE} above)"
                )
            if path in seen:
                raise PatchError(f"{self._name}: {path} has two parts; join them")
            seen.add(path)
            place = f"{self._name}: {path}"
            edits = tuple(self._edits(place))
            if not edits and _NOWHERE not in {old, new}:
                raise PatchError(f"{place}: no hunk; a hunk begins with @@ -LINE,COUNT …")
            yield _Change(place, path, old == _NOWHERE, new == _NOWHERE, edits)

    def _path(self, mark: bytes) -> str:
        line = self._lines[self._at] if self._at < len(self._lines) else b""
        if not line.startswith(mark):
            raise PatchError(
                f"{self._name}: line {self._at + 1} is {_shown(line)}; a line with "
                f"{mark.decode().strip()} and a path is due"
            )
        self._at += 1
        text = line[len(mark) :].partition(b"\t")[0].decode("utf-8", "replace")
        if text == _NOWHERE:
            return text
        _, _, path = text.partition("/")  # a/ and b/
        parts = PurePosixPath(path).parts
        if not path or path != "/".join(parts) or ".." in parts or {*path} & {"\\", ":", "\ufffd"}:
            raise PatchError(
                f"{self._name}: line {self._at}: {text!r} is no path below a/ or b/ that stays "
                "in the folder"
            )
        return path

    def _edits(self, place: str) -> Iterator[_Edit]:
        number = moved = end = 0
        while self._at < len(self._lines) and self._lines[self._at].startswith(b"@@"):
            number += 1
            here = f"{place}, hunk {number}"
            match = _HEADER.fullmatch(self._lines[self._at].rstrip(b"\r"))
            if match is None:
                raise PatchError(f"{here}: {_shown(self._lines[self._at])} is no header of a hunk")
            self._at += 1
            start, removed = int(match[1]), int(match[2] or 1)
            begin, added = int(match[3]), int(match[4] or 1)
            start -= removed > 0  # without old lines, it is the line above
            begin -= added > 0
            if begin != start + moved or start < end:
                raise PatchError(
                    f"{here}: line numbers of the header do not agree with the hunks above it"
                )
            edits = list(self._hunk(here, start, removed, added))
            end, moved = start + removed, moved + added - removed
            yield from edits

    def _hunk(self, here: str, start: int, removed: int, added: int) -> Iterator[_Edit]:
        old: list[bytes] = []
        new: list[bytes] = []
        while removed or added:
            line = self._lines[self._at] if self._at < len(self._lines) else b""
            mark, text = line[:1], line[1:] + b"\n"
            removed -= mark in {b" ", b"-"}
            added -= mark in {b" ", b"+"}
            if mark not in {b" ", b"-", b"+"} or removed < 0 or added < 0:
                raise PatchError(
                    f"{here}: line {self._at + 1} of the patch is {_shown(line)}; by the header, "
                    "more or other lines are due"
                )
            self._at += 1
            if self._at < len(self._lines) and self._lines[self._at] == _NO_NEWLINE:
                self._at += 1
                text = text[:-1]
            if mark == b" ":
                yield _Edit(here, start, tuple(old), tuple(new))
                yield _Edit(here, start + len(old), (text,), (text,))
                start += len(old) + 1
                old, new = [], []
            elif mark == b"-":
                old.append(text)
            else:
                new.append(text)
        yield _Edit(here, start, tuple(old), tuple(new))


def _changed(data: bytes | None, changes: Sequence[_Change]) -> bytes | None:
    """A file after all changes; None if it is removed."""
    for change in changes:
        if change.created and data is not None:
            raise PatchError(f"{change.place}: the file is there already")
        if data is None and not change.created:
            raise PatchError(f"{change.place}: there is no such file")
        if len(changes) > 1 and (change.created or change.removed):
            raise PatchError(f"{change.place}: another patch adds, removes or changes it too")
    lines = _lines(data or b"")
    edits = [edit for change in changes for edit in change.edits]
    for edit in edits:
        _check(edit, lines)
    real = sorted(
        (edit for edit in edits if edit.old != edit.new),
        key=lambda edit: (edit.start, bool(edit.old)),  # what is only added comes first
    )
    result: list[bytes] = []
    at, above = 0, ""
    for edit in real:
        if edit.start < at:
            raise PatchError(f"{edit.place}: line {edit.start + 1} is changed by {above} too")
        result += [*lines[at : edit.start], *edit.new]
        at, above = edit.start + len(edit.old), edit.place
    result += lines[at:]
    if changes[0].removed:
        if result:
            raise PatchError(
                f"{changes[0].place}: the file is to be removed, but {len(result)} lines are left"
            )
        return None
    place = changes[0].place
    if any(not line.endswith(b"\n") for line in result[:-1]):
        raise PatchError(f"{place}: a line without a line end is no longer the last one")
    return b"".join(result)


def _check(edit: _Edit, lines: Sequence[bytes]) -> None:
    if edit.start > len(lines):
        raise PatchError(f"{edit.place}: the file has {len(lines)} lines, not {edit.start}")
    for number, line in enumerate(edit.old, edit.start):
        found = lines[number] if number < len(lines) else None
        if found != line:
            shown = "the end of the file" if found is None else _shown(found)
            raise PatchError(
                f"{edit.place}: line {number + 1} should be {_shown(line)}, but is {shown}"
            )


def _lines(data: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _file_difference(path: str, old: bytes | None, new: bytes | None) -> bytes:
    if {*path} & {"\n", "\t", "\r", "\\", ":"}:
        raise PatchError(f"{path!r} cannot be written in a unified diff; name the file otherwise")
    above = _NOWHERE if old is None else f"a/{path}"
    below = _NOWHERE if new is None else f"b/{path}"
    head = f"--- {above}\n+++ {below}\n".encode()
    return head + b"".join(_hunks(_lines(old or b""), _lines(new or b"")))


def _hunks(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[bytes]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    groups: list[tuple[int, int, int, int]] = []
    for tag, start, end, begin, stop in matcher.get_opcodes():
        if tag == "equal":
            continue
        if groups and start - groups[-1][1] <= _NEAR:
            groups[-1] = (groups[-1][0], end, groups[-1][2], stop)
            continue
        groups.append((start, end, begin, stop))
    for start, end, begin, stop in groups:
        first, lead = start, begin
        if start == end and start:  # a line of the file to hold on to
            first, lead = start - 1, begin - 1
        yield from _hunk_text(old, (first, end), new, (lead, stop))


def _hunk_text(
    old: Sequence[bytes], span: tuple[int, int], new: Sequence[bytes], other: tuple[int, int]
) -> Iterator[bytes]:
    heading = next(
        (m[0] for line in reversed(old[: span[0]]) if (m := _HEADING.match(line))), b""
    ).strip()
    end = b" " + heading if heading else b""
    yield b"@@ -" + _range(*span) + b" +" + _range(*other) + b" @@" + end + b"\n"
    before, after = old[slice(*span)], new[slice(*other)]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, stop, begin, finish in matcher.get_opcodes():
        if tag == "equal":
            yield from (_written(b" ", line) for line in before[start:stop])
        else:
            yield from (_written(b"-", line) for line in before[start:stop])
            yield from (_written(b"+", line) for line in after[begin:finish])


def _range(start: int, end: int) -> bytes:
    count = end - start
    first = start + (count > 0)
    return str(first).encode() if count == 1 else f"{first},{count}".encode()


def _written(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + b"\n" + _NO_NEWLINE + b"\n"
