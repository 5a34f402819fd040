"""Whose a submission is, in any script; and rosters as spreadsheets and platforms write them."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest

from grader.collect.book import book
from grader.collect.found import find
from grader.collect.matching import match
from grader.collect.roster import read_roster
from grader.errors import SubmissionRejected, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from grader.pipeline import Grading

HEADER = "username,first_name,last_name,email,section,github_id,role,status\n"


def roster(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return path


def whose(tmp_path: Path, rows: str, *names: str) -> dict[str, list[tuple[str, bool]]]:
    """Identifier → submissions that were taken for theirs, and whether with a doubt."""
    folder = tmp_path / "class"
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "solution.py").write_text("x = 1\n")
    people = read_roster(roster(tmp_path, "identifier,first_name,last_name,email\n" + rows))
    return {
        person.identifier: [(item.path.name, bool(item.doubt)) for item in items]
        for person, items in match(find(folder), people)
    }


@pytest.mark.parametrize(
    ("first", "last"),
    [("Нина", "Орлова"), ("王小明", ""), ("Łukasz", "Żółty"), ("Zoë", "Ek"), ("Ελένη", "Ρήγα"),
     ("Đorđe", "Ćosić"), ("Søren", "Østby"), ("إيمان", "حسن")],
)  # fmt: skip
@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("wrap", ["{}", "{}_1001_assignsubmission_file_"])
def test_a_whole_name_matches_in_every_script_and_form(
    tmp_path: Path, first: str, last: str, form: str, wrap: str
) -> None:
    name = unicodedata.normalize(form, wrap.format(f"{first} {last}".strip()))  # type: ignore[arg-type]
    found = whose(tmp_path, f"a,{first},{last},\nb,Otto,Xu,\n", name)
    assert found == {"a": [(name, False)], "b": []}


@pytest.mark.parametrize(
    "name",
    ["Zoe Ek", "ZOE_EK", "Z. Ek", "Zoë E", "ek-zoe", "group 3 Zoë Ek", "Zoë Ek - task (final) v2",
     "zoeek", "ekzoe_12_34_solution"],
)  # fmt: skip
def test_anything_less_than_the_whole_name_is_a_likeness(tmp_path: Path, name: str) -> None:
    found = whose(tmp_path, "a,Zoë,Ek,\nb,Otto,Xu,\n", name)
    assert found == {"a": [(name, True)], "b": []}


def test_letters_of_another_script_are_never_dropped(tmp_path: Path) -> None:
    name = "Ann \u041ex"  # with a Cyrillic letter
    assert whose(tmp_path, "a,Ann,Ox,\n", name) == {"a": [], name: [(name, False)]}


@pytest.mark.parametrize(
    ("rows", "name"),
    [("a,Ann,Ox,\nb,Ann,Ox,\n", "Ann Ox"), ("a,Ann,Ox,\nb,Anna,Ox,\n", "A Ox"),
     ("a,Zoë,Ek,\nb,Zoé,Ek,\n", "Zoe Ek")],
)  # fmt: skip
def test_between_two_people_nothing_is_guessed(tmp_path: Path, rows: str, name: str) -> None:
    found = whose(tmp_path, rows, name)
    assert found == {"a": [], "b": [], name: [(name, True)]}


def test_names_that_disagree_are_nobodys(tmp_path: Path) -> None:
    found = whose(tmp_path, "7,Ann,Ox,\n8,Zoë,Ek,\n", "Ann Ox_8_assignsubmission_file_")
    assert [items for who, items in found.items() if who in {"7", "8"}] == [[], []]


def test_canvas_and_moodle_tell_the_number(tmp_path: Path) -> None:
    rows = "x,,,\n71,Ann,Ox,\nParticipant 72,,,\n"
    found = whose(
        tmp_path, rows, "oxann_LATE_71_900_solution", "Somebody_72_assignsubmission_file_"
    )
    assert found["71"] == [("oxann_LATE_71_900_solution", False)]


# Rosters


@pytest.mark.parametrize(
    ("encoding", "delimiter", "first"),
    [("utf-8", ",", ""), ("utf-8-sig", ",", ""), ("utf-8-sig", ";", ""), ("cp1252", ";", ""),
     ("cp1252", ",", ""), ("utf-16", "\t", ""), ("utf-8", ",", "sep=,\r\n"),
     ("utf-8-sig", "|", "sep=|\r\n")],
)  # fmt: skip
def test_what_spreadsheets_write_is_read(
    tmp_path: Path, encoding: str, delimiter: str, first: str
) -> None:
    rows = [["identifier", "github_username", "github_id", "name"], ["", "", "", ""],
            ["zoe@example.org", "zoe-ek", "12", "Zoë Ek"]]  # fmt: skip
    text = first + "".join(f"{delimiter.join(row)}\r\n" for row in rows)
    (person,) = read_roster(roster(tmp_path, text, encoding))
    assert (person.identifier, person.username, person.number) == (
        "zoe@example.org", "zoe-ek", "12",
    )  # fmt: skip
    assert (person.first_name, person.last_name) == ("Zoë", "Ek")


@pytest.mark.parametrize(
    ("header", "row", "identifier"),
    [
        ("Student,ID,SIS User ID,SIS Login ID,Section", '"Ek, Zoë",71,s71,zoe@x.org,A', "s71"),
        ("First Name,Last Name,SID,Email,Sections", "Zoë,Ek,71,zoe@x.org,A", "zoe@x.org"),
        ("First name,Surname,ID number,Email address", "Zoë,Ek,71,zoe@x.org", "zoe@x.org"),
        ("Identifier,Full name,Email address,Status", "Participant 71,Zoë Ek,zoe@x.org,x",
         "Participant 71"),
    ],
)  # fmt: skip
def test_rosters_of_platforms_are_read(
    tmp_path: Path, header: str, row: str, identifier: str
) -> None:
    (person,) = read_roster(roster(tmp_path, f"{header}\n{row}\n"))
    assert (person.identifier, person.name, person.number) == (identifier, "Zoë Ek", "71")


def test_classroom_50_rows_identify_or_describe_somebody(tmp_path: Path) -> None:
    text = (
        HEADER.rstrip()
        + ",note\n"
        + (
            "ann,Ann,Ox,a@x.org,A,1,student,active,\n"
            ",,,,,42,,,by number\n"
            ",Zoë,Ek,,,,,,by name\n"
            ",,,,,,,unlinked,by marker\n"
            ",,,,B,,student,,noise\n"
            "kim,Kim,Lo,,,7,teacher,active,\n"
        )
    )
    people = read_roster(roster(tmp_path, text))
    assert [person.identifier for person in people] == [
        "ann", "42", "Zoë Ek", "unlinked, row 5", "kim",
    ]  # fmt: skip
    assert [person.role for person in people] == ["", "", "", "", "teacher"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Punkte;Kommentar\n1;gut\n", "Found: Punkte, Kommentar. Needed is one of"),
        ("name,name\na,b\n", "'name' twice"),
        ("name,=1+1\na,b\n", "reads as a formula"),
        ("name\n", "names nobody"),
        ("PK\x03\x04rest", "is a workbook; save it as CSV"),
        ("name\nAnn Ox\nann ox\n", "twice; remove one row, or add a column"),
    ],
)
def test_a_roster_that_cannot_be_used_says_why(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_roster(roster(tmp_path, text))


# Rows


def refusing(path: Path) -> Grading:
    raise SubmissionRejected("not-an-archive", f"{path.name} cannot be read")


def states(tmp_path: Path, text: str) -> list[tuple[str, str]]:
    people = read_roster(roster(tmp_path, text)) if text else ()
    rows = book(
        find(tmp_path / "class"), people, refusing, due=None, take="last", step=lambda: None
    )
    return [(row.person.identifier, row.state) for row in rows]


def test_what_cannot_be_read_is_rejected_where_it_is_somebodys(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    for name in ("ann-ox.7z", "zoe-ek.ipynb.json", "notes.txt", "roster.csv", "~$list.xlsx"):
        (folder / name).write_text("x")
    (folder / "kim-lo").symlink_to("/etc")
    (folder / "otto-xu").mkdir()
    found = states(tmp_path, "username\nann-ox\nzoe-ek\nkim-lo\notto-xu\nnobody\n")
    assert found == [
        ("ann-ox", "rejected"), ("zoe-ek", "rejected"), ("kim-lo", "rejected"),
        ("otto-xu", "rejected"), ("nobody", "missing"),
    ]  # fmt: skip


def test_without_a_roster_only_likely_kinds_are_rows(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    for name in ("ann.7z", "notes.txt", "grades.csv"):
        (folder / name).write_text("x")
    assert states(tmp_path, "") == [("ann", "rejected")]


def test_staff_are_no_candidates(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    (folder / "kim").mkdir(parents=True)
    text = HEADER + "ann,,,,,,student,\nkim,,,,,,teacher,\nlea,,,,,,ta,\n"
    assert states(tmp_path, text) == [("ann", "missing"), ("kim", "rejected")]
