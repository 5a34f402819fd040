"""Lines of a task sheet and hidden tests belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.authoring.sheet_lint import lint_sheet

if TYPE_CHECKING:
    from pathlib import Path

SUITE = """\
import pytest

@pytest.mark.criterion("edge", sheet="one-row", hint="x")
@pytest.mark.parametrize("n", [1, 2])
def test_named(solution, n):
    "A."

@pytest.mark.criterion("edge")
def test_unnamed(solution):
    "B."

@pytest.mark.criterion("edge", sheet="two-rows")
def test_unknown(solution):
    "C."
"""


def test_tests_without_a_line_and_lines_without_a_test_are_named(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(SUITE)
    assert lint_sheet(tmp_path, {"one-row": "x", "no-rows": "y"}) == [
        "README.md: the line 'no-rows' has no hidden test",
        "test_a.py:13: test_unknown: names the line 'two-rows', which the task sheet lacks",
        'test_a.py:9: test_unnamed: names no line of the task sheet; add sheet="…"',
    ]


def test_a_suite_that_fits_its_sheet_is_in_order(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(SUITE.partition('@pytest.mark.criterion("edge")')[0])
    assert lint_sheet(tmp_path, {"one-row": "x"}) == []
