"""What nbformat says of a notebook reaches the report as a note."""

from __future__ import annotations

from grader.analyst.conform import departure
from grader.notebook.facts import departure_notes
from grader.notebook.read import read_notebook
from tests.unit.notebooks import notebook


def test_departure_speaks_of_what_nbformat_finds() -> None:
    assert departure(notebook("x")) == ""
    assert "required property" in departure(notebook({"cell_type": "code", "source": "x"}))


def test_departure_of_what_no_validator_expects_is_an_error_of_its_kind() -> None:
    assert departure(b"[]") == "AttributeError"


def test_a_departure_is_a_note_in_plain_characters() -> None:
    data = notebook("x")
    (note,) = departure_notes(read_notebook("a.ipynb", data), "odd \x1b[31m")
    assert note == r"'a.ipynb': does not conform to its nbformat ('odd \x1b[31m'); it was repaired"
    assert departure_notes(read_notebook("a.ipynb", data), "") == ()
    assert departure_notes(None, "odd") == ()
