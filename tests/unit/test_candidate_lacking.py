"""A notebook whose import cell names packages that are not here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from grader.notebook.read import read_notebook
from tests.unit.notebooks import notebook
from tests.unit.test_candidate_cells import LOADED, fresh, run

if TYPE_CHECKING:
    from pathlib import Path

USE = "def f():\n    return math.sqrt(4.0)"


def answers(folder: Path, *cells: str) -> str:
    meta = read_notebook("solution.ipynb", notebook(*cells)).for_candidate(30)
    return run(LOADED, [meta, [["f"]]], folder).decode()


@pytest.mark.parametrize(
    ("cell", "place", "package"),
    [
        ("import nowhere\nimport math", 1, "nowhere"),
        ("# Colab\nfrom google.colab import drive\nimport math", 2, "google.colab"),
        ("from google.colab import drive\ndrive.mount('/x')\nimport math", 1, "google.colab"),
        ("from google.colab import drive\nx = drive.y\nz = x.y\nimport math", 1, "google.colab"),
        ("import nowhere, math", 1, "nowhere"),
        ("import math as m, nowhere.a as n, math", 1, "nowhere.a"),
        ("import nowhere; import math", 1, "nowhere"),
        ("import os; import nowhere; import math; x = 1", 1, "nowhere"),
        ("import nowhere\nimport elsewhere\nimport math", 1, "nowhere"),
        ("from nowhere import (\n    a,\n    b,\n)\nimport math", 1, "nowhere"),
        ("from __future__ import annotations\nimport nowhere\nimport math", 2, "nowhere"),
        ("import nowhere\n@property\ndef g(): ...\nimport math", 1, "nowhere"),
    ],
)
def test_the_statements_behind_a_missing_package_run(
    tmp_path: Path, cell: str, place: int, package: str
) -> None:
    assert answers(tmp_path, cell, USE) == '["value", 2.0]\n'
    (error,) = fresh(tmp_path, cell, USE).errors
    assert (error.number, error.line) == (1, place)
    assert error.type.raw == "ModuleNotFoundError"
    assert error.message.raw == f"{package} is not available here"


def test_a_later_cell_that_needs_the_package_goes_on_too(tmp_path: Path) -> None:
    cells = ("from google.colab import drive", "drive.mount('/x')\nimport math", USE)
    assert answers(tmp_path, *cells) == '["value", 2.0]\n'
    assert [error.number for error in fresh(tmp_path, *cells).errors] == [1, 2]


@pytest.mark.parametrize(
    "cell",
    [
        "import nowhere\nx = 1 / 0\nimport math",  # another error ends the cell
        "x = unknown\nimport math",  # a name that no import would have bound
        "import nowhere\nif nowhere.x:\n    pass\nimport math",  # nobody knows which way to go
        "with open('nowhere') as f:\n    pass\nimport math",
        "def g():\n    import nowhere\ng()\nimport math",
    ],
)
def test_any_other_error_ends_its_cell_as_in_jupyter(tmp_path: Path, cell: str) -> None:
    told = answers(tmp_path, cell, USE)
    assert "NameError" in told
    assert "name 'math' is not defined; cell 1, line" in told


def test_lines_stay_where_they_are_behind_a_missing_package(tmp_path: Path) -> None:
    run_ = fresh(tmp_path, "import nowhere\n\ndef f():\n    return 1 / 0", "f()", "print(1)")
    assert [(e.number, e.line) for e in run_.errors] == [(1, 1), (2, 1)]
    assert run_.outputs[3][0]["text"] == "1\n"
