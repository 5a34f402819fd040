"""Whose a submission is.

A submission belongs to the person whom one of its names names *as a whole*: user name, identifier,
e-mail address, number or name, compared in one Unicode form and without regard to case. Anything
less is a likeness: it is noted, gives way to a submission by the very name, and where it fits two
people it is nobody's.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from grader.collect.roster import Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from grader.collect.found import Found

__all__ = ["match"]

_AGAIN = re.compile(r"[ _-]*(\(\d{1,3}\)|v?\d{1,3})$")
# Letters that no Unicode form takes apart, as people write them without their own keyboard.
_LETTERS = str.maketrans(
    {
        "đ": "d",
        "ð": "d",
        "ø": "o",
        "ł": "l",
        "\u0131": "i",
        "ħ": "h",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
_SHORTEST = 3  # letters of a name that stands alone


def match(found: Sequence[Found], people: Sequence[Person]) -> list[tuple[Person, list[Found]]]:
    """Give each submission to a person: everybody on the roster first, then strangers.

    Where the layout tells the very user name, only that counts, because anybody can choose a name
    that resembles another's. A key that two people share names neither.
    """
    keys, logins, likeness = _keys(people), _logins(people), _Likeness(people)
    mine: dict[str, list[Found]] = {person.identifier: [] for person in people}
    near: list[tuple[Found, Person]] = []
    others: dict[str, list[Found]] = {}
    for item in found:
        named = _very_user(item, logins) if item.username else _named(item, keys)
        if len(named) == 1:
            mine[named[0].identifier].append(item)
            continue
        fitting = named or likeness.of(item)
        if len(fitting) == 1:
            near.append((item, fitting[0]))
        elif fitting:
            told = " or ".join(sorted(person.identifier for person in fitting)[:4])
            doubt = f"its name fits {told}; it was assigned to neither"
            others.setdefault(item.handle, []).append(replace(item, doubt=doubt))
        else:
            others.setdefault(item.handle, []).append(item)
    certain = {identifier for identifier, items in mine.items() if items}
    for item, person in near:
        who = person.identifier
        if who in certain or (item.username and person.username):
            doubt = f"its name is similar to that of {who}, but it was not assigned to them"
            others.setdefault(item.handle, []).append(replace(item, doubt=doubt))
        else:
            told = ", ".join(item.names) or item.path.name
            doubt = f"assigned to {who} because the names are similar: {told}"
            mine[who].append(replace(item, doubt=doubt))
    matched = [(person, mine[person.identifier]) for person in people]
    for handle, items in sorted(others.items()):
        matched.append((_stranger(handle, items, on_roster=not people), items))
    return matched


def _stranger(handle: str, items: Sequence[Found], *, on_roster: bool) -> Person:
    email = next((name for item in items for name in item.names if "@" in name), "")
    name = items[0].names[-1] if items[0].names else ""
    first, _, last = name.rpartition(" ")
    username = handle if items[0].layout.startswith("classroom") else ""
    number = items[0].number
    return Person(handle, username, first, last, email, number=number, on_roster=on_roster)


def _whole(text: str) -> str:
    """A name in one Unicode form, without regard to case, spaces and punctuation."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"(?:[^\w@.]|_)+", "-", unicodedata.normalize("NFC", text)).strip("-")


@lru_cache(maxsize=1 << 16)
def _folded(text: str) -> str:
    """The same without accents: what only resembles a name."""
    apart = unicodedata.normalize("NFKD", _whole(text).translate(_LETTERS))
    return "".join(char for char in apart if not unicodedata.combining(char))


def _tokens(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W\d_]+", _folded(text)))


def _keys(people: Iterable[Person]) -> dict[str, list[Person]]:
    """Whole names → whose they are."""
    found: dict[str, list[Person]] = {}
    for person in people:
        names = {
            person.username, person.identifier, person.email, person.number, person.name,
            f"{person.last_name} {person.first_name}", person.email.partition("@")[0],
        }  # fmt: skip
        for key in {_whole(name) for name in names} - {""}:
            found.setdefault(key, []).append(person)
    return found


def _logins(people: Iterable[Person]) -> dict[str, Person]:
    """User name in lower case → whose it is."""
    counts = Counter(person.username.lower() for person in people)
    return {
        login: person
        for person in people
        if (login := person.username.lower()) and counts[login] == 1
    }


def _very_user(item: Found, logins: Mapping[str, Person]) -> list[Person]:
    person = logins.get(item.username.lower())
    return [person] if person else []


def _named(item: Found, keys: Mapping[str, Sequence[Person]]) -> list[Person]:
    """Whom a submission's names name; several where they disagree."""
    found: dict[str, Person] = {}
    for name in map(_whole, (*item.names, item.handle)):
        owners = keys.get(name, ())
        if len(owners) == 1 and not _by_name_alone(item, name, owners[0]):
            found[owners[0].identifier] = owners[0]
        elif len(owners) > 1 and not found:
            return list(owners)
    return list(found.values())


def _by_name_alone(item: Found, name: str, person: Person) -> bool:
    """Whether another program knows another address of somebody who goes by a person's name."""
    mails = [_whole(text) for text in item.names if "@" in text]
    sure = {_whole(text) for text in (person.identifier, person.username, person.number)}
    return bool(mails and person.email) and _whole(person.email) not in mails and name not in sure


class _Likeness:
    """Whom a submission's name resembles; people are found by parts of names, not one by one."""

    def __init__(self, people: Sequence[Person]) -> None:
        self._people = people
        self._whole: dict[str, list[int]] = {}
        self._logins: dict[str, list[int]] = {}
        self._parts: dict[str, list[int]] = {}
        for place, person in enumerate(people):
            for name in _folded_names(person):
                self._whole.setdefault(name, []).append(place)
            if login := _folded(person.username):
                self._logins.setdefault(login, []).append(place)
            own = _tokens(person.first_name) | _tokens(person.last_name)
            for part in own | _joined(person):
                self._parts.setdefault(part, []).append(place)

    def of(self, item: Found) -> list[Person]:
        """The people whom the closest kind of likeness that fits anybody gives, in roster order."""
        texts = [*item.names, item.handle]
        again = [_AGAIN.sub("", item.handle), item.handle.partition("_")[0]]
        whole = {_folded(text) for text in (*texts, *again)} - {""}
        if fitting := self._found(self._whole, whole):
            return fitting
        # Repositories are called <something>-<username>.
        ends = [_folded(texts[-1]), *(_folded(text) for text in again)]
        after = {end[at + 1 :] for end in ends for at, char in enumerate(end) if char == "-"}
        if fitting := self._found(self._logins, after):
            return _longest(fitting)
        tokens = frozenset().union(*(_tokens(text) for text in texts))
        some = self._found(self._parts, tokens)
        return [person for person in some if _holds(tokens, person)] or [
            person for person in some if _initials(tokens, person)
        ]

    def _found(self, index: Mapping[str, Sequence[int]], keys: Iterable[str]) -> list[Person]:
        places = {place for key in keys for place in index.get(key, ())}
        return [self._people[place] for place in sorted(places)]


def _folded_names(person: Person) -> set[str]:
    names = (
        person.username, person.identifier, person.email, person.number, person.name,
        f"{person.last_name} {person.first_name}", person.email.partition("@")[0],
    )  # fmt: skip
    return {_folded(name) for name in names} - {""}


def _longest(people: Sequence[Person]) -> list[Person]:
    """The longest user name that fits is meant."""
    most = max(len(person.username) for person in people)
    return [person for person in people if len(person.username) == most]


def _holds(tokens: frozenset[str], person: Person) -> bool:
    """Whether all parts of a name are there, among others or written as one word."""
    first, last = _tokens(person.first_name), _tokens(person.last_name)
    own = first | last
    if not own or (len(own) == 1 and len(next(iter(own))) < _shortest(own)):
        return False
    return own <= tokens or (len(own) > 1 and bool(_joined(person) & tokens))


def _joined(person: Person) -> frozenset[str]:
    """First and last name written as one word, in both orders."""
    first, last = _ordered(person.first_name), _ordered(person.last_name)
    return frozenset({"".join(first + last), "".join(last + first)}) - {""}


def _shortest(own: frozenset[str]) -> int:
    return _SHORTEST if next(iter(own)).isascii() else 2


def _ordered(*names: str) -> list[str]:
    return [part for name in names for part in re.findall(r"[^\W\d_]+", _folded(name))]


def _initials(tokens: frozenset[str], person: Person) -> bool:
    """Whether one name is there in full, and of the other the first letter."""
    first, last = _tokens(person.first_name), _tokens(person.last_name)
    if not first or not last:
        return False
    return any(
        full <= tokens and {name[0] for name in short} & tokens
        for full, short in ((last, first), (first, last))
    )
