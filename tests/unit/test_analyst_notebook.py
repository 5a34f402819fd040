"""Static evidence on notebooks: places by cell, and hygiene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.analyst.analysis import analyse, collected
from grader.analyst.notebook import notebook_of
from grader.notebook.convert import notebook_of as converted
from grader.notebook.facts import for_analyst
from grader.notebook.fresh import FreshRun, read_run
from grader.notebook.read import read_notebook
from tests.unit.notebooks import code, notebook, text
from tests.unit.static_cases import CONTRACT, EXEMPLARS

ROOT = Path(__file__).resolve().parents[2]
TITLE = text("# Missing values, their report and their medians")
IMPUTE = "def impute(df):\n    return df"


def review(data: bytes, fresh: FreshRun | None = None) -> dict[str, dict[str, Any]]:
    read = read_notebook("solution.ipynb", data)
    seen = notebook_of({"notebook": for_analyst(read, fresh or FreshRun())})
    return {str(r["id"]).rpartition("::")[2]: r for r in analyse({}, CONTRACT, seen)}


def found(data: bytes, check: str, fresh: FreshRun | None = None) -> str:
    return str(review(data, fresh)[check]["message"])


def test_every_check_has_a_record_in_the_collected_order() -> None:
    read = read_notebook("a.ipynb", notebook(IMPUTE))
    seen = notebook_of({"notebook": for_analyst(read, FreshRun())})
    records = analyse({}, CONTRACT, seen)
    assert [r["id"] for r in records] == [r["id"] for r in collected(notebook=True)]


def test_findings_name_the_cell_and_the_line_in_it() -> None:
    told = review(notebook("import os", "%%time\nimport sys\nimport json\n" + IMPUTE))
    assert "cell 1, line 1 an unused import (F401); cell 2, line 2" in told["names-used"]["message"]
    assert told["names-used"]["where"] == "cell 1, line 1"


def test_a_cell_that_is_no_python_hides_no_other() -> None:
    told = review(notebook("x = (", "import os, sys\n" + IMPUTE))
    assert "cell 2, line 1" in told["names-used"]["message"]


@pytest.mark.parametrize(
    "source",
    [
        "exec('x = 1')",
        "get_ipython().run_cell('x = 1')",
        "from IPython import get_ipython as shell",
        "from __future__ import barry_as_FLUFL",
    ],
)
def test_code_made_at_run_time_fails_every_check_of_code(source: str) -> None:
    told = review(notebook(TITLE, IMPUTE, source))
    code_checks = [r for r in told.values() if r["criterion"] != "notebook_hygiene"]
    assert {r["status"] for r in code_checks} == {"failed"}
    assert told["narrative"]["status"] == "passed"
    assert told["names-used"]["where"].startswith("cell 2, line ")


def test_showing_something_is_what_cells_are_for() -> None:
    shown = "frame = impute(1)\nprint(frame);\nframe\nframe == 1"
    told = review(notebook(IMPUTE, shown))
    assert told["no-leftovers"]["status"] == "passed"
    assert told["no-mistakes"]["status"] == "passed"
    inside = "def impute(df):\n    print(df)\n    print(df)\n    return df"
    assert review(notebook(inside))["no-leftovers"]["status"] == "failed"


@pytest.mark.parametrize("name", ["display", "In", "Out", "_", "_3", "_i2", "exit"])
def test_what_the_shell_gives_is_defined_in_a_notebook_alone(name: str) -> None:
    used = [f"{name}(impute({number}))" for number in range(3)]
    assert found(notebook(IMPUTE, *used), "no-mistakes") == ""
    others = [line.replace(name, "show_") for line in used]
    assert "an undefined name" in found(notebook(IMPUTE, *others), "no-mistakes")


def test_a_tidy_notebook_passes_every_check_of_hygiene() -> None:
    data = notebook(
        TITLE,
        code("%matplotlib inline\nimport pandas as pd", 1),
        code(IMPUTE, 2),
        text("Try it"),
        code("frame = pd.DataFrame()\nimpute(frame)", 3),
        code("", None),
    )
    told = review(data)
    assert {n for n, r in told.items() if r["criterion"] == "notebook_hygiene"} == {
        *("runs-through", "outputs-current", "in-order", "no-hidden-state"),
        *("no-dead-cells", "work-in-functions", "narrative"),
    }
    kept = [r for r in told.values() if r["criterion"] == "notebook_hygiene"]
    assert {r["status"] for r in kept} == {"passed"}


def test_cells_that_fail_in_the_fresh_run_are_named() -> None:
    data = notebook(IMPUTE, "a = 1\nb = c")
    lines = (
        b'{}\n{"begin":1}\n{"done":1,"outputs":[],"error":null}\n{"begin":2}\n{"done":2,"outputs":'
        b'[],"error":{"line":2,"type":"NameError","message":"no c"}}\n{"end":true}\n'
    )
    fresh = read_run(lines, read_notebook("solution.ipynb", data))
    assert found(data, "runs-through", fresh) == "cell 2, line 2: NameError: no c"


def test_stored_outputs_that_are_not_fresh_are_named() -> None:
    shown = {"output_type": "execute_result", "data": {"text/plain": "0.81"}}
    data = notebook(code(IMPUTE, 1), code("1 / 3", 2, shown))
    lines = (
        b'{}\n{"begin":1}\n{"done":1,"outputs":[]}\n{"begin":2}\n{"done":2,"outputs":[{"output_type'
        b'":"execute_result","data":{"text/plain":"0.33"}}]}\n{"end":true}\n'
    )
    fresh = read_run(lines, read_notebook("solution.ipynb", data))
    assert found(data, "outputs-current", fresh).startswith("cell 2: its stored output")


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((1, 2, 3), ""),
        ((1, 5, 9), ""),
        ((None, None, None), ""),
        ((2, 1, 3), "cell 2: it was run before a cell above it ([1])"),
        ((1, None, 2), "cell 2: it was not run before the notebook was saved"),
        ((1, 1, 2), "cell 2: it was run before a cell above it ([1])"),
    ],
)
def test_execution_counts_tell_the_order(counts: tuple[int | None, ...], said: str) -> None:
    data = notebook(*(code(f"x{n} = {n}", count) for n, count in enumerate(counts)))
    assert found(data, "in-order") == said


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (("x = y", "y = 1"), "cell 1, line 1: y is used, and only cell 2 defines it"),
        (("x = 1\nz = y",), "cell 1, line 2: y is used, and no cell defines it"),
        (("[a for b in range(3)]",), "cell 1, line 1: a is used, and no cell defines it"),
        (("class A:\n    b = c",), "cell 1, line 2: c is used, and no cell defines it"),
        (("f(1)", "def f(x):\n    return x"), "cell 1, line 1: f is used, and only cell 2"),
        (("def f():\n    return g()", "def g():\n    return 1", "f()"), ""),
        (("[a for a in range(3)]",), ""),
        (("display(len(Out)), _, __name__",), ""),
        (("try:\n    1\nexcept ValueError as e:\n    print(e)",), ""),
        (("from numpy import *", "x = sin(1)"), ""),
        (("for i in range(3):\n    pass\nprint(i)",), ""),
        (("with open('x') as f:\n    f",), ""),
    ],
)
def test_names_of_another_session_are_found(cells: tuple[str, ...], said: str) -> None:
    assert found(notebook(*cells), "no-hidden-state").startswith(said)
    assert bool(said) == bool(found(notebook(*cells), "no-hidden-state"))


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (("x = 1", "", "y = 1"), "cell 2: it is empty"),
        (("# x = old(1)\n# y = 2",), "cell 1: it holds nothing but code in comments"),
        (("# What comes next",), ""),
        ((IMPUTE, IMPUTE), "cell 2, line 1: impute replaces that of cell 1"),
        (("@f.register\ndef _(x): ...", "@f.register\ndef _(y): ..."), ""),
        (("x = 1", ""), ""),
    ],
)
def test_dead_cells_are_found(cells: tuple[str, ...], said: str) -> None:
    assert found(notebook(*cells), "no-dead-cells") == said


def test_much_loose_work_is_found_at_its_largest_cell() -> None:
    lines = "\n".join(f"x{n} = {n}" for n in range(30))
    assert found(notebook("a = 1", lines), "work-in-functions") == ""
    said = found(notebook(lines.replace("x", "y"), "a = 1\n" + lines), "work-in-functions")
    assert said == "cell 2: 61 statements in all do their work outside functions"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (("x = 1",), "no cell says what the notebook does"),
        ((text("Hm"), "x = 1"), "no cell says what the notebook does"),
        ((TITLE, *["x = 1"] * 6), ""),
        ((TITLE, *["x = 1"] * 7), "cell 7: more than 6 code cells without a word between"),
        ((TITLE, *["x = 1"] * 4, text("Then"), *["x = 1"] * 4), ""),
    ],
)
def test_silent_notebooks_are_found(cells: tuple[Any, ...], said: str) -> None:
    assert found(notebook(*cells), "narrative") == said


@pytest.mark.parametrize(
    "path", sorted(EXEMPLARS.glob("*/solution.py")), ids=lambda p: p.parent.name
)
def test_a_script_gets_the_same_verdicts_as_a_notebook(path: Path) -> None:
    source = path.read_bytes()
    contract = CONTRACT
    as_script = {str(r["id"]): r["status"] for r in analyse({contract.entry: source}, contract)}
    read = read_notebook("solution.ipynb", converted(source.decode(), "Title"))
    seen = notebook_of({"notebook": for_analyst(read, FreshRun())})
    as_notebook = {str(r["id"]): r["status"] for r in analyse({}, contract, seen)}
    differing = {name for name in as_script if as_notebook[name] != as_script[name]}
    # A print outside functions is left over in a module and an output in a notebook.
    assert differing <= {"static::clarity_lint::no-leftovers"}
