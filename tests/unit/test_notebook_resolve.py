"""Which file of a submission is graded."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import pipeline
from grader.errors import SubmissionRejected
from grader.exercise import load_exercise
from grader.intake import digest_of
from grader.models import Submission, SubmissionFile
from grader.notebook.resolve import resolve
from tests.unit.notebooks import notebook

ROOT = Path(__file__).resolve().parents[2]
EXERCISE = load_exercise("imputation", root=ROOT)
STARTER = (ROOT / "exercises/imputation/starter/solution.py").read_bytes()
WHOLE = notebook("def missing_report(df): ...\ndef impute(df): ...", "class MedianImputer: ...")
PART = notebook("def impute(df): ...")
OTHER = notebook("x = 1")


def chosen(**files: bytes) -> tuple[str, tuple[str, ...]]:
    named = {name.replace("__", "/").replace("_py", ".py"): data for name, data in files.items()}
    named = {
        name if name.endswith(".py") else f"{name}.ipynb": data for name, data in named.items()
    }
    ordered = tuple(SubmissionFile(name, named[name]) for name in sorted(named))
    found = resolve(Submission("x", Path("x"), digest_of(ordered), ordered), EXERCISE)
    return (found.notebook.path if found.notebook else EXERCISE.entry), found.notes


def test_a_notebook_alone_is_the_solution() -> None:
    assert chosen(solution=WHOLE) == ("solution.ipynb", ())
    assert chosen(work__analysis=OTHER) == ("work/analysis.ipynb", ())


def test_a_module_that_was_written_wins() -> None:
    path, notes = chosen(solution_py=b"def impute(df): ...", solution=WHOLE)
    assert path == "solution.py"
    assert notes == ("solution.py was graded, not solution.ipynb",)


def test_an_untouched_starter_gives_way() -> None:
    path, notes = chosen(solution_py=STARTER.replace(b"\n", b"\r\n"), work__analysis=PART)
    assert path == "work/analysis.ipynb"
    assert notes == ("solution.py is still the starter; work/analysis.ipynb was graded",)


def test_an_untouched_starter_stays_beside_notes_only() -> None:
    assert chosen(solution_py=STARTER, eda=OTHER)[0] == "solution.py"


def test_of_several_the_one_that_defines_everything_is_meant() -> None:
    path, notes = chosen(a=PART, b=WHOLE, c=OTHER)
    assert path == "b.ipynb"
    assert notes == ("b.ipynb was graded, not a.ipynb, c.ipynb",)


def test_of_two_whole_ones_the_name_decides() -> None:
    assert chosen(draft=WHOLE, nb__solution=WHOLE)[0] == "nb/solution.ipynb"


def test_of_two_parts_the_name_decides() -> None:
    assert chosen(draft=PART, solution=PART)[0] == "solution.ipynb"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a": WHOLE, "b": WHOLE}, "a.ipynb, b.ipynb each define all of"),
        ({"a": PART, "b": OTHER}, "none of them defines all of MedianImputer, impute, missing"),
        ({"a__solution": WHOLE, "b__solution": WHOLE}, "Call it solution.ipynb, or send only"),
    ],
)
def test_a_choice_that_nobody_can_make_is_refused(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(SubmissionRejected, match=r"which one is the solution\?") as caught:
        chosen(**files)
    assert caught.value.code == "notebook-choice"
    assert said in str(caught.value)


def test_a_damaged_notebook_beside_a_whole_one_is_passed_over() -> None:
    assert chosen(a=b"{", b=WHOLE)[0] == "b.ipynb"


def test_a_damaged_notebook_alone_is_refused() -> None:
    with pytest.raises(SubmissionRejected) as caught:
        chosen(solution=b"{")
    assert caught.value.code == "notebook-damaged"


@pytest.mark.parametrize(
    "lines",
    [
        "from helpers import missing_report, impute, MedianImputer",
        "missing_report = impute = MedianImputer = make()",
        "missing_report, impute, MedianImputer = make()",
        "async def impute(df): ...\nmissing_report: object = 1\nclass MedianImputer(Base): ...",
    ],
)
def test_definitions_of_every_form_count(lines: str) -> None:
    assert chosen(a=notebook(lines), b=PART)[0] == "a.ipynb"


def test_names_inside_functions_define_nothing() -> None:
    inner = notebook("def f():\n    def impute(): ...\n    class MedianImputer: ...")
    assert chosen(solution_py=STARTER, a=inner)[0] == "solution.py"


def test_a_notebook_that_came_alone_is_refused_by_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "my work.ipynb"
    path.write_text('{"cells": [')
    with pytest.raises(SubmissionRejected, match=r"^'my work\.ipynb' is damaged"):
        pipeline.prepare(path, root=ROOT, exercise="imputation", seed="0" * 32)
