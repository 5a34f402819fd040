"""Who should have submitted: rosters of classrooms and learning platforms, as CSV files.

Read are the rosters of GitHub Classroom and Classroom 50, the gradebooks of Canvas and Gradescope,
Moodle's participants, and tables of one's own with the same columns; as spreadsheets write them:
with commas, semicolons or tabs, a ``sep=`` line, in UTF-8, UTF-16 or Windows-1252.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Person", "read_roster"]

_MOST_BYTES = 64 << 20
_DELIMITERS = ",;\t"
_FORMULA = ("=", "+", "-", "@")  # no program's heading begins so
_STUDENT = {"", "student", "learner", "candidate", "participant"}
# heading as it is written by some program → ours
_COLUMNS = {
    "identifier": "identifier", "roster_identifier": "identifier",
    "github_username": "username", "username": "username", "login": "username",
    "user_name": "username", "sis_login_id": "login",
    "github_id": "number", "sid": "number", "id": "number", "id_number": "number",
    "student_id": "number", "sis_user_id": "sis",
    "name": "name", "full_name": "name", "student": "name", "display_name": "name",
    "first_name": "first_name", "given_name": "first_name", "forename": "first_name",
    "last_name": "last_name", "surname": "last_name", "family_name": "last_name",
    "email": "email", "email_address": "email", "e_mail": "email", "mail": "email",
    "section": "section", "sections": "section", "group": "section",
    "role": "role", "status": "status",
}  # fmt: skip
_WHO = {*_COLUMNS.values()} - {"section", "role", "status"}
_NEEDED = "identifier, username, github_username, github_id, sid, email, name, first_name"


@dataclass(frozen=True, slots=True)
class Person:
    """One row of a roster, or whoever a submission's name stands for.

    Attributes:
        identifier: what tables call them.
        number: a program's number of theirs: GitHub's id, Gradescope's SID, Canvas' ID.
        on_roster: False for somebody who is known by a submission only.
        role: on the roster, where it is another than a student's.
    """

    identifier: str
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    section: str = ""
    number: str = ""
    on_roster: bool = True
    role: str = ""

    @property
    def name(self) -> str:
        """First and last name, or the identifier."""
        return f"{self.first_name} {self.last_name}".strip() or self.identifier


def read_roster(path: Path) -> tuple[Person, ...]:
    """Read a roster.

    Raises:
        UsageError: it cannot be read, its columns do not say who anybody is, or it names somebody
            twice; the message names the columns that were found.
    """
    header, rows = _table(path)
    columns = _columns(header, path)
    people = []
    for number, row in enumerate(rows, 2):
        values = {
            column: cell.strip()
            for column, cell in zip(columns, row, strict=False)
            if column and cell.strip()
        }
        if person := _person(values, number):
            people.append(person)
    if not people:
        raise UsageError(f"{path} names nobody: below its header there is no row that says who")
    counts = Counter(person.identifier.casefold() for person in people)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise UsageError(
            f"{path} names {twice[0]!a} twice; remove one row, or add a column that tells the two "
            "apart, such as email"
        )
    return tuple(people)


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a file that some spreadsheet wrote."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > _MOST_BYTES:
        raise UsageError(f"{path} is too large to be a roster")
    if raw.startswith((b"PK\3\4", b"\xd0\xcf\x11\xe0")):
        raise UsageError(f"{path} is a workbook; save it as CSV (UTF-8) and give that file")
    text = _decoded(raw, path)
    lines = text.splitlines()
    delimiter = ""
    if lines and (told := re.fullmatch(r"sep=(.)", lines[0].strip(), re.IGNORECASE)):
        delimiter = told[1]
        text = text[len(lines[0]) :].lstrip("\r\n")
        lines = lines[1:]
    first = next((line for line in lines if line.strip()), "")
    delimiter = delimiter or max(_DELIMITERS, key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise UsageError(f"{path} cannot be read as a CSV file: {error}") from error
    if not rows:
        raise UsageError(f"{path} names nobody: it is empty")
    return rows[0], rows[1:]


def _decoded(raw: bytes, path: Path) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]  # what spreadsheets write where nobody asks
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UsageError(f"{path} cannot be read as text; save it as CSV (UTF-8)")


def _columns(header: Sequence[str], path: Path) -> list[str]:
    """Our name of each column; empty for those that are somebody's own.

    Raises:
        UsageError: no column says who anybody is, or one is there twice.
    """
    named = [re.sub(r"[\W_]+", "_", cell.strip().casefold()).strip("_") for cell in header]
    found = ", ".join(cell.strip() or "(empty)" for cell in header)[:300]
    columns = [_COLUMNS.get(name, "") for name in named]
    twice = [name for name, count in Counter(n for n in named if n).items() if count > 1]
    if twice:
        raise UsageError(f"{path} has the column {twice[0]!a} twice; rename one (found: {found})")
    if odd := [cell for cell in header if cell.strip().startswith(_FORMULA)]:
        raise UsageError(
            f"{path} has a column {odd[0][:40]!a}, which reads as a formula; rename it"
        )
    # Of two that mean the same to us ("ID" and "SID"), the first counts.
    columns = [name if name not in columns[:place] else "" for place, name in enumerate(columns)]
    if not _WHO & set(columns):
        raise UsageError(
            f"{path}: no column says who somebody is. Found: {found}. Needed is one of {_NEEDED}"
        )
    return columns


def _person(row: Mapping[str, str], number: int) -> Person | None:
    """Somebody that a row identifies or describes; None for a row of something else."""
    first, last = row.get("first_name", ""), row.get("last_name", "")
    name = row.get("name", "")
    if name.casefold() in {"points possible", "student, test"}:
        return None  # of Canvas' gradebook
    if not first and not last and name:
        last, comma, first = (part.strip() for part in name.partition(","))
        if not comma:
            first, _, last = name.rpartition(" ") if " " in name else (name, "", "")
    username = row.get("username", "")
    mail = next((row[key] for key in ("email", "login") if "@" in row.get(key, "")), "")
    identifier = (
        row.get("identifier") or username or row.get("email") or row.get("sis")
        or row.get("login") or row.get("number") or f"{first} {last}".strip()
    )  # fmt: skip
    if not identifier and row.get("status", "").casefold() == "unlinked":
        identifier = f"unlinked, row {number}"
    if not identifier:
        return None
    role = row.get("role", "").casefold()
    return Person(
        identifier=identifier,
        username=username,
        first_name=first,
        last_name=last,
        email=mail or (identifier if "@" in identifier else ""),
        section=row.get("section", ""),
        number=re.sub(r"^participant\s+(?=\d+$)", "", row.get("number", ""), flags=re.IGNORECASE)
        or _participant(row.get("identifier", "")),
        role="" if role in _STUDENT else role,
    )


def _participant(text: str) -> str:
    """The number in Moodle's ``Participant 1001``."""
    match = re.fullmatch(r"participant\s+(\d+)", text, re.IGNORECASE)
    return match[1] if match else ""
