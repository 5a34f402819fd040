"""Who should have submitted: rosters of GitHub Classroom and Classroom 50, and the matching."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from grader.collect.found import Found

__all__ = ["Person", "match", "read_roster"]

_AGAIN = re.compile(r"[ _-]*(\(\d{1,3}\)|v?\d{1,3})$")
_KNOWN = (
    "identifier,github_username,github_id,name (GitHub Classroom) or "
    "username,first_name,last_name,email,section,github_id (Classroom 50)"
)


@dataclass(frozen=True, slots=True)
class Person:
    """One row of a roster, or whoever a submission's name stands for.

    Attributes:
        identifier: what tables call them.
        on_roster: False for somebody who is known by a submission only.
    """

    identifier: str
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    section: str = ""
    number: str = ""
    on_roster: bool = True

    @property
    def name(self) -> str:
        """First and last name, or the identifier."""
        return f"{self.first_name} {self.last_name}".strip() or self.identifier


def read_roster(path: Path) -> tuple[Person, ...]:
    """Read a roster in either program's columns.

    Raises:
        UsageError: it cannot be read, has other columns, or names somebody twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [
                {str(k).strip().lower(): (v or "").strip() for k, v in row.items() if k}
                for row in csv.DictReader(file)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a CSV file: {error}") from error
    people = tuple(person for row in rows if (person := _person(row)))
    if not people:
        raise UsageError(f"{path} names nobody; its columns should be {_KNOWN}")
    counts = Counter(person.identifier.lower() for person in people)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise UsageError(f"{path} names {twice[0]!a} twice; remove one row")
    return people


def _person(row: Mapping[str, str]) -> Person | None:
    username = row.get("github_username") or row.get("username", "")
    identifier = row.get("identifier") or username or row.get("email") or row.get("name", "")
    if not identifier:
        return None
    first, last = row.get("first_name", ""), row.get("last_name", "")
    if not first and not last and (name := row.get("name", "")):
        first, _, last = name.rpartition(" ") if " " in name else (name, "", "")
    mail = row.get("email", "") or (identifier if "@" in identifier else "")
    return Person(
        identifier=identifier,
        username=username,
        first_name=first,
        last_name=last,
        email=mail,
        section=row.get("section", ""),
        number=row.get("sid") or row.get("github_id", ""),
    )


def match(found: Sequence[Found], people: Sequence[Person]) -> list[tuple[Person, list[Found]]]:
    """Give each submission to a person: everybody on the roster first, then strangers.

    Where the layout tells the very user name, only that counts, because anybody can choose a name
    that resembles another's. Elsewhere a submission belongs to the person that one of its names
    names: user name, identifier, e-mail address, number or name. One whose name only resembles
    somebody's is theirs with a doubt, and a stranger's if there is one by the very name. A key
    that two people share names neither.
    """
    keys, logins = _keys(people), _logins(people)
    mine: dict[str, list[Found]] = {person.identifier: [] for person in people}
    near: list[tuple[Found, Person]] = []
    others: dict[str, list[Found]] = {}
    for item in found:
        person = logins.get(item.username.lower()) if item.username else _named(item, keys)
        if person is not None:
            mine[person.identifier].append(item)
        elif (person := _resembled(item, keys)) is not None:
            near.append((item, person))
        else:
            others.setdefault(item.handle, []).append(item)
    certain = {identifier for identifier, items in mine.items() if items}
    for item, person in near:
        who = person.identifier
        if who in certain or (item.username and person.username):
            doubt = f"its name resembles that of {who}; it was not taken for theirs"
            others.setdefault(item.handle, []).append(replace(item, doubt=doubt))
        else:
            told = ", ".join(item.names) or item.path.name
            doubt = f"taken for that of {who} by a likeness of names only: {told}"
            mine[who].append(replace(item, doubt=doubt))
    matched = [(person, mine[person.identifier]) for person in people]
    for handle, items in sorted(others.items()):
        email = next((name for item in items for name in item.names if "@" in name), "")
        name = items[0].names[-1] if items[0].names else ""
        first, _, last = name.rpartition(" ")
        username = handle if items[0].layout.startswith("classroom") else ""
        stranger = Person(handle, username, first, last, email, on_roster=not people)
        matched.append((stranger, items))
    return matched


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9@.]+", "-", folded.lower()).strip("-")


def _keys(people: Iterable[Person]) -> dict[str, Person]:
    found: dict[str, list[Person]] = {}
    for person in people:
        names = {
            person.username, person.identifier, person.email, person.number, person.name,
            f"{person.last_name} {person.first_name}", person.email.partition("@")[0],
        }  # fmt: skip
        for key in {_plain(name) for name in names} - {""}:
            found.setdefault(key, []).append(person)
    return {key: owners[0] for key, owners in found.items() if len(owners) == 1}


def _logins(people: Iterable[Person]) -> dict[str, Person]:
    """User name in lower case → whose it is."""
    counts = Counter(person.username.lower() for person in people)
    return {
        login: person
        for person in people
        if (login := person.username.lower()) and counts[login] == 1
    }


def _named(item: Found, keys: Mapping[str, Person]) -> Person | None:
    """Whom one of a submission's names names."""
    for name in map(_plain, (*item.names, item.handle)):
        person = keys.get(name)
        if person is not None and not _by_name_alone(item, name, person):
            return person
    return None


def _by_name_alone(item: Found, name: str, person: Person) -> bool:
    """Whether another program knows another address of somebody who goes by a person's name."""
    mails = [_plain(text) for text in item.names if "@" in text]
    sure = {_plain(text) for text in (person.identifier, person.username, person.number)}
    return bool(mails and person.email) and _plain(person.email) not in mails and name not in sure


def _resembled(item: Found, keys: Mapping[str, Person]) -> Person | None:
    """Whose name a submission's resembles."""
    exact = [_plain(name) for name in (*item.names, item.handle)]
    again = [_plain(_AGAIN.sub("", item.handle)), _plain(item.handle.partition("_")[0])]
    for name in (*exact, *again):
        if name in keys:
            return keys[name]
    # Repositories are called <something>-<username>; the longest user name that fits is meant.
    ends = [
        (len(person.username), person)
        for person in keys.values()
        if person.username
        and any(name.endswith(f"-{_plain(person.username)}") for name in (exact[-1], *again))
    ]
    return max(ends, key=lambda end: end[0])[1] if ends else None
