"""The parts of a cell that are compiled by themselves."""

from __future__ import annotations

import pytest

from grader.candidate import parts

CELL = "import nothing, json\na = 'é'; b = [\n    1,\n]\n@print\ndef f(): ...\n(a +\n a)  # shown\n"


def own(text: str) -> list[str]:
    return parts.statements(text, parts.parsed(text))


def test_each_statement_has_its_lines_in_their_places() -> None:
    assert own(CELL) == [
        "import nothing, json",
        "\na = 'é'",
        "\nb = [\n    1,\n]",
        "\n\n\n\n@print\ndef f(): ...",
        "\n\n\n\n\n\n(a +\n a)",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1; a;", ("a = 1; ", "a")),
        ("x\n", ("", "x")),
        ("x = 1\r\nx", ("x = 1\n", "\nx")),
        ("x = 1", ("x = 1", "")),
        ("x = (", ("x = (", "")),
        ("", ("", "")),
        ("await x", ("", "await x")),
    ],
)
def test_the_value_of_the_last_line_is_a_part(text: str, expected: tuple[str, str]) -> None:
    assert parts.shown(text) == expected


def test_every_part_that_a_run_compiles_is_known() -> None:
    before, value = parts.shown(CELL)
    wanted = [CELL, before, value, *own(CELL), "import nothing", "import json", ""]
    assert {parts.normal(text) for text in wanted} == parts.every([CELL])


def test_a_text_within_a_cell_is_no_part_of_it() -> None:
    cell = 'x = """\nprint(1)\n"""\nif x:\n    print(2)\n'
    assert parts.every([cell]).isdisjoint({"print(1)", "print(2)", "    print(2)"})
