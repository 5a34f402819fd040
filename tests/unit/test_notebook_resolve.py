"""Which file of a submission is graded."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from grader import pipeline
from grader.errors import SubmissionRejected
from grader.exercise.contract import load_exercise
from grader.intake.submission import digest_of
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
        "from helpers import (\n    missing_report,\n    impute,  # fills\n    MedianImputer,\n)",
        "from a import missing_report as missing_report\nimport x as impute, MedianImputer",
        "from important import missing_report, impute\nfrom .b import(MedianImputer)",
    ],
)
def test_definitions_of_every_form_count(lines: str) -> None:
    assert chosen(a=notebook(lines), b=PART)[0] == "a.ipynb"


@pytest.mark.parametrize(
    "lines",
    [
        "from helpers import (a)\nprint(impute, missing_report, MedianImputer)",
        "from impute import missing_report_, MedianImputers",
        "import imputer, missing\nfrom MedianImputer import x",
        "from helpers import (a,\n" + " " * 400 + "\n" * 700 + "impute)",
    ],
)
def test_names_beside_an_import_are_not_bound(lines: str) -> None:
    assert chosen(solution_py=STARTER, a=notebook(lines))[0] == "solution.py"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "line",
    [
        "a" + " " * 1990 + "b",
        "a" + " " * 1990 + "=b",
        ("from " + "import(" * 70)[:499],
        ("from " + "import (" * 70)[:499],
        "from a import(",
        "a," * 249,
        "-n 1 " * 90,
        "a" * 499,
    ],
)
def test_no_line_takes_long(line: str) -> None:
    lines = "\n".join([line] * (500_000 // (len(line) + 1)))
    begin = time.process_time()
    chosen(a=notebook(lines), b=WHOLE)
    assert time.process_time() - begin < 6


@pytest.mark.timeout(60)
def test_notebooks_that_are_too_large_are_refused_before_their_code_is_looked_at() -> None:
    large = notebook("\n".join(["a" + " " * 1990 + "b"] * 4100))
    begin = time.process_time()
    with pytest.raises(SubmissionRejected, match="characters of text"):
        chosen(**{f"n{number}": large for number in range(2)})
    assert time.process_time() - begin < 10  # looked at, they would take minutes


def test_of_many_notebooks_those_that_hold_the_names_are_looked_into() -> None:
    many = {f"a{number:03}": OTHER for number in range(60)}
    path, notes = chosen(**many, z__deep__whole=WHOLE)
    assert path == "z/deep/whole.ipynb"
    assert notes[0] == "of 61 notebooks the likeliest 20 were looked into"


def test_of_many_notebooks_of_no_names_the_named_one_is_meant() -> None:
    many = {f"a{number:03}": OTHER for number in range(60)}
    assert chosen(**many, z__deep__solution=OTHER)[0] == "z/deep/solution.ipynb"


def test_names_inside_functions_define_nothing() -> None:
    inner = notebook("def f():\n    def impute(): ...\n    class MedianImputer: ...")
    assert chosen(solution_py=STARTER, a=inner)[0] == "solution.py"


def test_a_notebook_that_came_alone_is_refused_by_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "my work.ipynb"
    path.write_text('{"cells": [')
    with pytest.raises(SubmissionRejected, match=r"^'my work\.ipynb' is damaged"):
        pipeline.prepare(path, root=ROOT, exercise="imputation", seed="0" * 32)
