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
DONE = "def missing_report(df):\n    return df\ndef impute(df):\n    return df.copy()\n"
IMPUTER = "class MedianImputer:\n    def fit(self, df):\n        return self\n"
WHOLE = notebook(DONE, IMPUTER)
PART = notebook("def impute(df):\n    return df")
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
    path, notes = chosen(solution_py=(DONE + IMPUTER).encode(), solution=PART)
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
        "async def impute(df): return 1\nmissing_report: int = 1\nclass MedianImputer(Base): ...",
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
    ],
)
def test_names_beside_an_import_are_not_bound(lines: str) -> None:
    assert chosen(solution_py=STARTER, a=notebook(lines))[0] == "solution.py"


def submitted(*cells: str, path: str = "solution.ipynb", **sent: bytes) -> Submission:
    files = {path: notebook(*cells)} | {name.replace("_py", ".py"): d for name, d in sent.items()}
    ordered = tuple(SubmissionFile(name, files[name]) for name in sorted(files))
    return resolve(Submission("x", Path("x"), digest_of(ordered), ordered), EXERCISE)


@pytest.mark.parametrize(
    "head",
    [
        "%%writefile helper.py",
        "# a\n%%writefile helper.py",
        "%%file ./helper.py",
        "%%writefile 'helper.py'",
    ],
)
def test_a_file_that_a_cell_writes_becomes_a_file(head: str) -> None:
    cells = (f"{head}\nx = 1", "%%writefile -a helper.py\ny = 2", DONE)
    found = submitted(*cells, path="a/nb.ipynb")
    assert {f.path: f.data for f in found.files}["a/helper.py"] == b"x = 1\ny = 2\n"
    assert found.digest == digest_of(found.files)
    assert "a/helper.py was added: a cell of 'a/nb.ipynb' writes it" in found.notes


def test_a_file_that_was_sent_stays() -> None:
    found = submitted("%%writefile helper.py\nx = 1", DONE, helper_py=b"x = 2")
    assert {f.path: f.data for f in found.files}["helper.py"] == b"x = 2"
    assert "writes another helper.py than was sent" in str(found.notes)


@pytest.mark.parametrize(
    "name",
    ["/x.py", "../x.py", "~/x.py", "$x", "{x}.py", "a\\b.py", "x.ipynb", ".git/x", "", "-a"],
)
def test_a_file_elsewhere_or_of_an_odd_name_is_not_written(name: str) -> None:
    assert len(submitted(f"%%writefile {name}\nx = 1", DONE).files) == 1


def test_a_notebook_that_writes_the_solution_as_a_file_is_a_module() -> None:
    found = submitted(f"%%writefile solution.py\n{DONE}{IMPUTER}", "import solution")
    assert found.notebook is None
    assert "solution.py of that cell was graded" in found.notes


def refused(**files: bytes) -> str:
    with pytest.raises(SubmissionRejected) as caught:
        chosen(**files)
    assert caught.value.code == "notebook-choice"
    return str(caught.value)


BODY = "raise NotImplementedError"


@pytest.mark.parametrize(
    "saved",
    [
        STARTER.decode(),
        "\ufeff" + STARTER.decode().replace("\n", "\r\n"),
        "# see the notebook\n" + STARTER.decode(),
        STARTER.decode().replace(BODY, "pass"),
        STARTER.decode().replace(BODY, "..."),
        STARTER.decode().replace(BODY, 'raise NotImplementedError("in the notebook")'),
        STARTER.decode().replace(BODY, "return None  # TODO"),
        STARTER.decode().replace(BODY, ""),
        STARTER.decode().replace("Summarise how much", "Says how much").replace(BODY, "pass"),
        STARTER.decode().replace("import pandas as pd", "import numpy as np\nimport pandas as pd"),
        STARTER.decode().replace("(df: pd.DataFrame) ->", "(\n  df: pd.DataFrame,\n) ->"),
        STARTER.decode() + '\n\nif __name__ == "__main__":\n    print("see solution.ipynb")\n',
        STARTER.decode().replace(BODY, f'print("see solution.ipynb"); {BODY}'),
        "# the solution is in solution.ipynb\n",
        "",
    ],
)  # fmt: skip
def test_a_starter_that_was_saved_again_gives_way(saved: str) -> None:
    assert chosen(solution_py=saved.encode(), solution=WHOLE)[0] == "solution.ipynb"


def test_a_starter_that_holds_code_gives_way_until_it_is_worked_on() -> None:
    exercise = load_exercise("leakage_debug", root=ROOT)
    starter = (exercise.public_dir / "starter" / exercise.entry).read_text()
    worked_on = starter + "\n\ndef _split(frame):\n    return frame[:10], frame[10:]\n"

    def path(module: str) -> str:
        files = {
            exercise.entry: f"# mine\n{module}".encode(),
            "solution.ipynb": notebook(worked_on.replace("[:10]", "[:20]")),
        }
        ordered = tuple(SubmissionFile(name, files[name]) for name in sorted(files))
        found = resolve(Submission("x", Path("x"), digest_of(ordered), ordered), exercise)
        return found.notebook.path if found.notebook else exercise.entry

    assert path(starter) == "solution.ipynb"
    with pytest.raises(SubmissionRejected, match="another implementation of it"):
        path(worked_on)


def test_a_last_line_for_what_is_not_supported_makes_no_stub() -> None:
    supported = "    if len(df):\n        return df.copy()\n    raise NotImplementedError\n"
    module = DONE.replace("    return df.copy()\n", supported) + IMPUTER
    assert "another implementation" in refused(solution_py=module.encode(), solution=WHOLE)


def test_two_implementations_that_differ_are_refused() -> None:
    other = notebook(DONE.replace("df.copy()", "df.fillna(0)"), IMPUTER)
    said = refused(solution_py=(DONE + IMPUTER).encode(), work__analysis=other)
    assert said.startswith("solution.py implements the task, and work/analysis.ipynb holds another")
    assert said.endswith("Send only the one that is to be graded")


@pytest.mark.parametrize(
    "export",
    [
        f"#!/usr/bin/env python\n# coding: utf-8\n# In[1]:\n{DONE}\n# In[ ]:\n\n{IMPUTER}",
        f"# In[1]:\nget_ipython().system('pip install x')\n{DONE}\n# In[2]:\n{IMPUTER}",
        f'"""U.ipynb\n\nAutomatically generated by Colab."""\n!pip install x\n{DONE}{IMPUTER}',
        f"# %%\n{DONE}\n# %%\n{IMPUTER}",
        f"# In[1]:\n# %matplotlib inline\n{DONE}\n{IMPUTER}",
    ],
)  # fmt: skip
def test_an_export_gives_way_to_its_notebook(export: str) -> None:
    source = notebook("%matplotlib inline\n!pip install x", DONE, IMPUTER)
    path, notes = chosen(solution_py=export.encode(), solution=source)
    assert path == "solution.ipynb"
    assert notes[-1] == "solution.py is an export of solution.ipynb; the notebook was graded"


def test_an_export_of_another_state_that_only_a_notebook_can_run_gives_way() -> None:
    export = f"# In[1]:\nget_ipython().system('pip install x')\n{DONE}{IMPUTER}x = 1\n"
    path, notes = chosen(solution_py=export.encode(), solution=WHOLE)
    assert path == "solution.ipynb"
    assert "get_ipython()" in notes[-1] or "export" in notes[-1]


def test_a_module_beside_a_notebook_of_the_same_functions_is_graded() -> None:
    explored = notebook("x = 1", DONE, IMPUTER, "print(x)")
    path, notes = chosen(solution_py=(DONE + IMPUTER).encode(), eda=explored)
    assert path == "solution.py"
    assert notes == ("solution.py was graded; eda.ipynb holds the same",)


def test_a_notebook_that_uses_the_module_implements_nothing() -> None:
    using = notebook("from solution import impute, missing_report, MedianImputer", "impute(1)")
    assert chosen(solution_py=(DONE + IMPUTER).encode(), eda=using)[0] == "solution.py"


def test_a_half_finished_module_gives_way_to_a_whole_notebook() -> None:
    path, notes = chosen(solution_py=DONE.encode(), solution=WHOLE)
    assert path == "solution.ipynb"
    assert notes == ("solution.py does not implement MedianImputer; solution.ipynb was graded",)


def test_an_empty_notebook_of_the_starter_stays_behind_a_finished_one() -> None:
    stubs = notebook(STARTER.decode())
    assert chosen(solution=stubs, work=WHOLE)[0] == "work.ipynb"


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 100_000,
        "x = " + "-" * 200_000 + "1",
        "x = " + "a." * 100_000 + "b",
        "x = " + "1+" * 100_000 + "1",
        "x = " + "[" * 150 + "]" * 150,
        "if x:\n" + "".join(" " * n + "if x:\n" for n in range(1, 900)),
        "x = f'" + "{" * 5000 + "'",
        "x = '\x00'",
        "lambda: " * 50_000 + "1",
        "x = " + "not " * 100_000 + "1",
    ],
    ids=range(10),
)
def test_what_brings_a_parser_down_is_looked_at_by_its_lines(text: str) -> None:
    broken = notebook(text, DONE, IMPUTER)
    assert chosen(solution_py=STARTER, solution=broken)[0] == "solution.ipynb"
    path, _ = chosen(solution_py=text.encode() + b"\n", solution=WHOLE)
    assert path == "solution.ipynb"


@pytest.mark.slow
@pytest.mark.timeout(90)
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
    assert time.process_time() - begin < 30  # what is tried again at each character takes minutes


@pytest.mark.timeout(90)
def test_notebooks_that_are_too_large_are_refused_before_their_code_is_looked_at() -> None:
    large = notebook("\n".join(["a" + " " * 1990 + "b"] * 4100))
    begin = time.process_time()
    with pytest.raises(SubmissionRejected, match="characters of text"):
        chosen(**{f"n{number}": large for number in range(2)})
    assert time.process_time() - begin < 30  # looked at, they would take minutes


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


SERVICE = load_exercise("predict_service", root=ROOT)


def service(**files: bytes) -> Submission:
    named = {name.replace("_py", ".py").replace("_ipynb", ".ipynb"): files[name] for name in files}
    items = tuple(SubmissionFile(name, named[name]) for name in sorted(named))
    return resolve(Submission("x", Path("x"), digest_of(items), items), SERVICE)


def test_a_notebook_in_place_of_a_service_is_refused_with_the_reason() -> None:
    with pytest.raises(SubmissionRejected, match="a web service, which a notebook is not"):
        service(solution_ipynb=WHOLE)


def test_a_notebook_beside_a_service_is_left_alone() -> None:
    found = service(solution_ipynb=WHOLE, solution_py=b"def create_app(): ...\n")
    assert found.notebook is None
    assert found.notes == ("solution.py was graded, not solution.ipynb",)
