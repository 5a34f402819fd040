"""A notebook's cells in an IPython shell, each case in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.notebook.fresh import FreshRun, read_run
from grader.notebook.read import read_notebook
from tests.unit.forks import Forks
from tests.unit.notebooks import notebook

ROOT = Path(__file__).resolve().parents[2]
FORKS = Forks(
    "from grader.candidate import cells, runner; from IPython.core import interactiveshell"
)
FRESH = """
import json, os, sys
from grader.candidate import cells
from grader.candidate.config import LoadConfig, NotebookConfig
os.environ["MPLCONFIGDIR"] = os.getcwd()
wire = os.dup(1)
config = LoadConfig(notebook=NotebookConfig.from_meta(json.loads(sys.argv[1])))
cells.show_run(cells.the_shell(), config, lambda data: os.write(wire, data))
"""
LOADED = """
import json, os, sys
from pathlib import Path
from grader.candidate.config import LoadConfig, NotebookConfig
from grader.candidate.runner import Session
from grader.wire import codec
meta, requests = json.loads(sys.argv[1])
session = Session(Path.cwd(), LoadConfig(notebook=NotebookConfig.from_meta(meta)), None)
assert session.load() is None
for name, *args in requests:
    answer = codec.decode(session.handle(codec.encode(("call", name, args, {}, {}))))
    print(json.dumps(answer))
"""


def run(script: str, argument: object, folder: Path) -> bytes:
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(folder)}
    done = FORKS.run(script, json.dumps(argument), folder=folder, environment=environment)
    assert done.returncode in {0, 7}, done.stderr.decode()
    return done.stdout


def fresh(folder: Path, *cells: str, seconds: float = 30.0, ahead: str = "") -> FreshRun:
    read = read_notebook("solution.ipynb", notebook(*cells))
    lines = run(ahead + FRESH, read.for_candidate(seconds), folder)
    return read_run(b'{"cause":"died"}\n' + lines, read)


def said(found: FreshRun, number: int) -> list[Any]:
    return [o.get("text") or o.get("data") for o in found.outputs[number]]


def called(folder: Path, cells: tuple[str, ...], *requests: tuple[object, ...]) -> list[Any]:
    read = read_notebook("work/solution.ipynb", notebook(*cells))
    (folder / "work").mkdir(exist_ok=True)
    lines = run(LOADED, [read.for_candidate(30.0), requests], folder)
    return [json.loads(line) for line in lines.splitlines()]


def test_outputs_are_those_that_jupyter_shows(tmp_path: Path) -> None:
    found = fresh(
        tmp_path,
        "x = 2\nprint('hello')\nx",
        "x;",
        "display(x)\n_ + 40",
        "import sys\nprint('careful', file=sys.stderr)",
        "import asyncio\nawait asyncio.sleep(0)\n'waited'",
        "__name__, get_ipython() is not None",
    )
    assert found.errors == ()
    assert found.stopped == ""
    assert said(found, 1) == ["hello\n", {"text/plain": "2"}]
    assert said(found, 2) == []
    assert said(found, 3) == [{"text/plain": "2"}, {"text/plain": "42"}]
    assert [o["name"] for o in found.outputs[4]] == ["stderr"]
    assert said(found, 5) == [{"text/plain": "'waited'"}]
    assert said(found, 6) == [{"text/plain": "('__main__', True)"}]


@pytest.mark.slow
@pytest.mark.parametrize("ahead", ["", "import matplotlib.pyplot\n"], ids=["", "preloaded"])
def test_figures_are_captured_as_pictures(tmp_path: Path, ahead: str) -> None:
    found = fresh(
        tmp_path,
        "%matplotlib inline\nimport matplotlib.pyplot as plt",
        "plt.plot([1, 2]);",
        "figure, axes = plt.subplots()\naxes.plot([1])\nplt.show()",
        ahead=ahead,
    )
    assert found.errors == ()
    for number in (2, 3):
        (output,) = found.outputs[number]
        data = output["data"]
        assert isinstance(data, dict)
        assert data["image/png"].startswith("iVBOR")


def test_a_failing_cell_is_named_and_stops_no_other(tmp_path: Path) -> None:
    found = fresh(
        tmp_path,
        "a = 1",
        "%matplotlib inline\n\nb = a / 0\nc = 1",
        "def f():\n    return missing\nf()",
        "x = (",
        "import sys\nsys.exit(3)",
        "a + 1",
    )
    assert [(e.number, e.line, e.type.raw, e.source.raw) for e in found.errors] == [
        (2, 3, "ZeroDivisionError", "b = a / 0"),
        (3, 2, "NameError", "return missing"),
        (4, 1, "SyntaxError", "x = ("),
        (5, 2, "SystemExit", "sys.exit(3)"),
    ]
    assert said(found, 6) == [{"text/plain": "2"}]
    assert found.stopped == ""


def test_a_cell_has_a_time_limit_of_its_own(tmp_path: Path) -> None:
    found = fresh(
        tmp_path,
        "import time",
        "while True:\n    try:\n        time.sleep(9)\n    except Exception:\n        pass",
        "'later'",
        seconds=0.4,
    )
    assert [(e.number, e.type.raw, e.message.raw) for e in found.errors] == [
        (2, "CellTimeout", "the cell took longer than 0.4 s")
    ]
    assert said(found, 3) == [{"text/plain": "'later'"}]


def test_a_process_that_ends_is_laid_at_the_cell_that_ran(tmp_path: Path) -> None:
    found = fresh(tmp_path, "'first'", "import os\nos._exit(7)", "'never'")
    assert found.stopped == "the process ended"
    assert [(e.number, e.message.raw) for e in found.errors] == [(2, "the process ended")]
    assert found.ran == {1}


def test_escapes_and_magics_called_by_hand_do_nothing(tmp_path: Path) -> None:
    found = fresh(
        tmp_path,
        "!touch here\nget_ipython().system('touch here')",
        "get_ipython().run_line_magic('run', 'x.py')\nget_ipython().getoutput('ls')",
    )
    assert found.errors == ()
    assert not (tmp_path / "here").exists()


def test_endless_output_is_cut(tmp_path: Path) -> None:
    found = fresh(tmp_path, "for _ in range(10_000):\n    print('x' * 1000)", "'after'")
    (text,) = said(found, 1)
    assert len(text) <= 1 << 16
    assert said(found, 2) == [{"text/plain": "'after'"}]


def test_functions_answer_as_a_modules_would(tmp_path: Path) -> None:
    cells = ("K = 2", "def double(x):\n    return K * x", "def name():\n    return __name__")
    assert called(tmp_path, cells, ("double", 21), ("name",)) == [
        ["value", 42],
        ["value", "solution"],
    ]


def test_errors_in_functions_name_the_cell(tmp_path: Path) -> None:
    cells = ("x = 1", "def f(x):\n    return 1 / x")
    ((kind, name, _bases, _message, where),) = called(tmp_path, cells, ("f", 0))
    assert (kind, name) == ("error", "ZeroDivisionError")
    assert where == "work/solution.ipynb, cell 2, line 2 in f"


def test_what_a_failed_cell_did_not_define_is_told_with_its_failure(tmp_path: Path) -> None:
    cells = ("y = x\ndef f():\n    return 1", "def g():\n    return 2")
    missing, present = called(tmp_path, cells, ("f",), ("g",))
    assert missing[1] == "MissingName"
    assert missing[3] == (
        "work/solution.ipynb does not define f; cell 1, line 1 failed: NameError: "
        "name 'x' is not defined"
    )
    assert present == ["value", 2]


def test_a_main_guard_is_for_the_fresh_run_only(tmp_path: Path) -> None:
    cells = ("seen = 0", "if __name__ == '__main__':\n    seen = 1", "def f():\n    return seen")
    assert called(tmp_path, cells, ("f",)) == [["value", 0]]
    assert said(fresh(tmp_path, *cells[:2], "seen"), 3) == [{"text/plain": "1"}]


@pytest.mark.parametrize("place", ["work/helper.py", "helper.py"])
def test_modules_beside_the_notebook_and_in_the_root_can_be_imported(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / place).write_text("def f():\n    return 5\n")
    assert called(tmp_path, ("from helper import f",), ("f",)) == [["value", 5]]


def test_files_are_found_from_the_notebooks_folder(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/data.txt").write_text("7")
    cells = ("text = open('data.txt').read()", "def f():\n    return text")
    assert called(tmp_path, cells, ("f",)) == [["value", "7"]]
