"""Names of the roster taken out of what candidates wrote.

Masked are whole names, user names, addresses and numbers, and the parts of names, in any case, with
and without accents, as JSON, HTML, URLs and mail headers write them, in letters of other styles,
and with invisible characters or colours between their letters. A part of four letters or more is
masked wherever it stands, also within a word; a shorter one only as a word of its own and as the
roster writes it, so that `an` stays where somebody is called An. Python's keywords are never
masked. Whoever wants to be known can always say who they are in other words.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import keyword
import quopri
import re
import unicodedata
import urllib.parse
from collections.abc import Mapping
from html.entities import codepoint2name
from typing import TYPE_CHECKING, Any

from grader.text import CandidateText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from grader.collect.roster import Person

__all__ = ["MASK", "Mask", "masked", "names_of", "plain"]

MASK = "[name]"
_FOLDED = re.compile(r"[^\x00-\x7f]|\x1b")
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_BETWEEN = re.compile(r"[\W_]+")
_NO_LETTERS = re.compile(r"[\W_]*")
_WORD = re.compile(r"[^\W_]+")
_LONG = 4
_LEAST_DIGITS = 5
_MOST_CHARS = 200
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa"})
# What files and accounts are called that are nobody's.
_NOBODY = {
    "solution", "submission", "main", "notebook", "assignment", "exercise", "test", "tests", "src",
    "data", "readme", "candidate", "student", "participant", "user", "name", "take", "home",
    "final", "python", "code", "project", "repo", "team", "group", "unlinked", "row",
    *(word.lower() for word in keyword.kwlist),
}  # fmt: skip
# Fields of our dataclasses that never hold a candidate's words.
_OURS = frozenset(
    {
        "id", "test_id", "criterion", "title", "hint", "line", "anchor", "kind", "state",
        "unit", "better", "sheet", "exercise_id", "exercise_title", "exercise_version", "run",
        "decided_by", "expectation", "why_not", "seniority", "sha256", "digest",
        "submission_digest", "level_name", "run_id", "started", "stream", "by", "how", "at",
    }
)  # fmt: skip


def names_of(person: Person) -> Iterator[str]:
    """All that a roster calls somebody."""
    first, last = person.first_name, person.last_name
    yield from (person.identifier, person.username, person.email, person.number, person.name)
    yield from (first, last, f"{first}{last}", f"{last}{first}", f"{last} {first}")
    if first and last:
        yield from (f"{first[0]}{last}", f"{first}{last[0]}", f"{last}, {first}")


class Mask:
    """Replaces names in texts.

    Args:
        names: whole names; their parts are masked as well.
        whole: names of which only the whole is masked, such as those of files.
    """

    def __init__(self, names: Iterable[str], whole: Iterable[str] = ()) -> None:
        self._long: set[str] = set()
        self._short: set[str] = set()
        for name in {*_forms(names), *_wholes(whole)}:
            if _letters(name) >= _LONG:
                self._long.add(_lowered(name))
            else:
                self._short.add(_NO_LETTERS.sub("", name, count=1))
        # First letters of longer names → how long those names are, the longest first.
        begins: dict[str, set[int]] = {}
        for name in self._long:
            begins.setdefault(name[:_LONG], set()).add(len(name))
        self._begins = {first: sorted(sizes, reverse=True) for first, sizes in begins.items()}
        self._sizes = sorted({len(name) for name in self._short}, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with every name replaced."""
        text = _replaced(text, self.spans(text))
        return self._within(text) if _FOLDED.search(text) else text

    def _within(self, text: str) -> str:
        """The text without names that a reader sees in it once letters have no accents or style."""
        letters, places = _folded(text)
        seen = []
        for first, last in self.spans(letters):
            end = places[last - 1] + 1
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            seen.append((places[first], end))
        return _replaced(text, seen)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """From where to where names stand in a text, in order, none within another."""
        low, begins = _lowered(text), self._begins
        found = []
        for place in [n for n in range(len(low) - _LONG + 1) if low[n : n + _LONG] in begins]:
            for size in begins[low[place : place + _LONG]]:
                if low[place : place + size] in self._long:
                    found.append((place, place + size))
                    break
        if self._short:
            for word in _WORD.finditer(text):
                found += self._short_at(text, word.start())
        return _merged(found, text)

    def _short_at(self, text: str, place: int) -> list[tuple[int, int]]:
        """A short name that begins with a word and ends with one."""
        for size in self._sizes:
            end = place + size
            if text[place:end] in self._short and not text[end : end + 1].isalnum():
                return [(place, end)]
        return []


def _merged(spans: list[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans, key=lambda span: (span[0], -span[1])):
        mark = text.find(MASK, max(0, last - len(MASK)), first + len(MASK))
        if 0 <= mark <= first and last <= mark + len(MASK):  # of an earlier pass
            continue
        if found and first < found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _replaced(text: str, spans: list[tuple[int, int]]) -> str:
    kept, end = [], 0
    for first, last in spans:
        kept += [text[end:first], MASK]
        end = last
    return "".join([*kept, text[end:]]) if kept else text


def _lowered(text: str) -> str:
    """In lower case, each character in its place."""
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def _folded(text: str) -> tuple[str, list[int]]:
    """What a reader sees of a text, in plain letters, and where in the text each of them stands."""
    letters: list[str] = []
    places: list[int] = []
    colours = {m.start(): m.end() for m in _COLOUR.finditer(text)}
    place = 0
    while place < len(text):
        if place in colours:
            place = colours[place]
            continue
        found = plain(text[place])
        letters.append(found)
        places += [place] * len(found)
        place += 1
    return "".join(letters), places


@functools.lru_cache(maxsize=4096)
def plain(char: str) -> str:
    """A character without accents and style; nothing for one that is not seen."""
    if char.isascii():
        return char
    apart = unicodedata.normalize("NFKD", char)
    return "".join(c for c in apart if unicodedata.category(c) not in {"Mn", "Me", "Cf"})


def _wholes(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if _letters(name) > 1 and name.lower() not in _NOBODY:
            yield from _spellings(name)


def _forms(names: Iterable[str]) -> Iterator[str]:
    """Whole names and their parts, in all spellings."""
    for raw in names:
        name = raw.strip()[:_MOST_CHARS]
        if name.lower() in _NOBODY or _letters(name) < 2 or _is_number(name):  # noqa: PLR2004
            continue
        yield from _spellings(name)
        local = name.partition("@")[0]  # the domain is an employer's or a university's
        for part in re.split(r"[\W_]+|(?<=[^\W\d_])(?=\d)", local):
            if _letters(part) > 1 and part.lower() not in _NOBODY and not _is_number(part):
                yield from _spellings(part)


def _is_number(text: str) -> bool:
    """A number too short to be anybody's."""
    return text.isdigit() and len(text) < _LEAST_DIGITS


def _letters(text: str) -> int:
    return len(text) if text.isalnum() else sum(map(str.isalnum, text))


def _spellings(name: str) -> Iterator[str]:
    if name.isascii():
        yield name
        yield from _glued(name)
        return
    composed = unicodedata.normalize("NFC", name)
    apart = unicodedata.normalize("NFD", name)
    plain = "".join(char for char in apart if not unicodedata.combining(char))
    written = composed.lower().translate(_GERMAN)
    yield from {name, composed, apart, plain, written if written != composed.lower() else name}
    for form in (composed, plain):
        if form.casefold() != form.lower():  # MUESSIG with one letter for two
            yield form.casefold()
    yield from _escapes(composed)
    yield from _escapes(apart)
    yield from _glued(plain)


def _glued(name: str) -> Iterator[str]:
    """The words of a name with other characters between them."""
    words = _BETWEEN.split(name)
    if len(words) > 1:
        yield from (glue.join(words) for glue in ("_", "-", ".", " ", "", "+", "%20"))


def _escapes(name: str) -> Iterator[str]:
    """How files and programs write letters beyond ASCII."""
    data = name.encode("utf-8", "replace")
    yield json.dumps(name)[1:-1]
    yield urllib.parse.quote(name, safe=" ")
    yield quopri.encodestring(data).decode("ascii")
    yield data.decode("latin-1")
    yield data.decode("cp1252", "replace")
    for form in ("&#{};", "&#x{:x};"):
        yield "".join(c if c.isascii() else form.format(ord(c)) for c in name)
    yield "".join(f"&{codepoint2name[ord(c)]};" if ord(c) in codepoint2name else c for c in name)


def masked(value: Any, mask: Mask) -> Any:  # noqa: ANN401 - a tree of any of our dataclasses
    """A tree of dataclasses with every text masked but those that are never a candidate's."""
    if isinstance(value, enum.Enum) or value is None:
        return value
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, CandidateText):
        return CandidateText(mask(value.raw))
    if isinstance(value, tuple | list):
        return type(value)(masked(item, mask) for item in value)
    if isinstance(value, Mapping):
        return {key: masked(item, mask) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {
            field.name: masked(getattr(value, field.name), mask)
            for field in dataclasses.fields(value)
            if field.name not in _OURS
        }
        return dataclasses.replace(value, **changes)
    return value
