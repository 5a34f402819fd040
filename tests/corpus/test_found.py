"""Correct work in the forms in which people send it: each scores what the plain file scores."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader import pipeline
from grader.notebook.convert import code_cells_of
from grader.report.feedback import feedback
from tests.unit.notebooks import PNG, notebook, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.sandbox.workbench import Workbench, Worker

ROOT = Path(__file__).resolve().parents[2]
STARTER = (ROOT / "exercises/imputation/starter/solution.py").read_text()
REFERENCE = (ROOT / "hidden_tests/imputation/solutions/reference/solution.py").read_text()
FULL = 3.9  # what a person has yet to confirm holds back a tenth
TITLE = text("# Missing values\n\nReport and fill missing values, each frame by its own medians.")
CELLS = code_cells_of(REFERENCE)

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def book(*first: str, cells: list[str] | None = None) -> bytes:
    """The reference as a notebook, with a heading above each cell."""
    found: list[Any] = [TITLE]
    for number, cell in enumerate([*first, *(cells or CELLS)]):
        found += [text(f"## Step {number}\n\nWhat the next cell does, in a few words."), cell]
    return notebook(*found)


def after_imports(addition: str) -> str:
    """The reference with something after its imports, which runs as the module is loaded."""
    head, mark, rest = REFERENCE.partition("\n\n\n")
    return f"{head}\n\n{addition}{mark}{rest}"


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


@pytest.fixture(scope="module")
def grade(
    worker: Worker, bench: Workbench, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[pipeline.Graded, str]]:
    def graded(name: str, data: bytes) -> tuple[pipeline.Graded, str]:
        folder = tmp_path_factory.mktemp("found")
        (folder / name).write_bytes(data)
        grading = pipeline.prepare(
            folder / name, root=ROOT, exercise="imputation", seed="0123456789abcdef" * 2
        )
        made = pipeline.run(worker, bench, grading, out=folder / "results")
        return made, feedback(made.report)

    return graded


SOURCES = {
    "a process pool": after_imports(
        "from concurrent.futures import ProcessPoolExecutor\n\n"
        "with ProcessPoolExecutor() as _pool:\n    _TWO = list(_pool.map(abs, [-2]))\n"
        "if _TWO != [2]:\n    raise OSError(_TWO)"
    ),
    "locks, queues and shared memory": after_imports(
        "import multiprocessing as mp\nfrom multiprocessing.shared_memory import SharedMemory\n\n"
        "_MEMORY = SharedMemory(create=True, size=1000)\n"
        "_QUEUE = mp.Queue()\n_QUEUE.put(mp.Value('i', 3).value)\nif _QUEUE.get() != 3:\n"
        "    raise OSError\nwith mp.Lock(), mp.Semaphore(2):\n    pass\n"
        "_MEMORY.close()\n_MEMORY.unlink()"
    ),
    "a pool that starts anew": after_imports(
        "import multiprocessing as mp\n\nif __name__ == 'solution':\n"
        "    with mp.get_context('spawn').Pool(1) as _pool:\n"
        "        if _pool.map(abs, [-2]) != [2]:\n            raise OSError"
    ),
    "a user with a name": after_imports(
        "import getpass\nimport os\nfrom pathlib import Path\n\n"
        "if not getpass.getuser() or not Path('~').expanduser().is_dir():\n    raise OSError\n"
        "if os.cpu_count() != 1:\n    raise OSError(os.cpu_count())"
    ),
    "a locale": after_imports(
        "import locale\n\nlocale.setlocale(locale.LC_ALL, 'en_US.UTF-8')\n"
        "if locale.format_string('%d', 1234567, grouping=True) != '1,234,567':\n    raise OSError"
    ),
}


@pytest.mark.parametrize("what", SOURCES)
def test_what_every_desktop_has_is_there(what: str, grade: Callable[..., Any]) -> None:
    graded, _ = grade("solution.py", SOURCES[what].encode())
    levels = {c.id: int(c.level) for c in graded.report.scorecard.categories}
    assert levels["code_correctness"] == 4
    assert not [r for r in graded.report.evidence if r.cause.value == "load-error"]


@pytest.mark.parametrize(
    ("encoding", "word"),
    [("iso-8859-15", "10 \u20ac"), ("cp1251", "\u041e\u0442\u0447"), ("shift_jis", "\u8868")],
)
def test_declared_encodings_score_in_full(
    encoding: str, word: str, grade: Callable[..., Any]
) -> None:
    source = f"# -*- coding: {encoding} -*-\n" + REFERENCE.replace('"""', f'"""{word} ', 1)
    graded, _ = grade("solution.py", source.encode(encoding))
    assert graded.report.scorecard.overall == pytest.approx(FULL)


FUTURE = "from __future__ import annotations\n"
NOTEBOOKS = {
    "pip as its own cell": book("pip install -q pandas scikit-learn"),
    "pip above the imports": book(
        cells=[CELLS[0].replace(FUTURE, "pip install -q x\n"), *CELLS[1:]]
    ),
    "cells of other languages": book("%%bash\nls -l | wc", "%%javascript\nalert(1)", "!ls"),
}


@pytest.mark.parametrize("what", NOTEBOOKS)
def test_notebooks_run_as_in_jupyter(what: str, grade: Callable[..., Any]) -> None:
    graded, _ = grade("solution.ipynb", NOTEBOOKS[what])
    assert graded.report.notebook.errors == ()
    assert graded.report.scorecard.overall == pytest.approx(FULL)


def test_a_helper_that_a_cell_writes_is_imported_and_reviewed(grade: Callable[..., Any]) -> None:
    helpers = [cell for cell in CELLS if cell.startswith(("def _is_numeric", "def _fill"))]
    imports = "import pandas as pd\nfrom pandas.api import types"
    written = "\n\n\n".join([f"%%writefile filling.py\n{imports}", *helpers])
    cells = [CELLS[0], "from filling import _fill, _is_numeric"]
    cells += [cell for cell in CELLS[1:] if cell not in helpers]
    graded, said = grade("solution.ipynb", book(written, cells=cells))
    assert graded.report.notebook.errors == ()
    assert "filling.py" in [file.path for file in graded.report.files]
    assert graded.report.scorecard.overall == pytest.approx(FULL)
    assert "was added" in said


def test_a_package_that_is_not_here_takes_nothing_else_down(grade: Callable[..., Any]) -> None:
    first = f"from google.colab import drive\n{CELLS[0]}".replace(FUTURE, "")
    graded, said = grade("solution.ipynb", book(cells=[first, *CELLS[1:]]))
    levels = {c.id: int(c.level) for c in graded.report.scorecard.categories}
    assert levels["code_correctness"] == 4
    assert "cell 1, line 1" in said
    assert "google" in said
    assert said.count("NameError") == 0


@pytest.mark.parametrize(
    "module",
    [
        "\ufeff" + STARTER,
        STARTER.replace("raise NotImplementedError", "pass"),
        f"# In[1]:\nget_ipython().system('ls')\n{REFERENCE}",
    ],
    ids=["marked", "passed", "exported"],
)
def test_the_finished_notebook_is_graded(module: str, grade: Callable[..., Any]) -> None:
    files = {"solution.py": module.encode(), "solution.ipynb": book()}
    graded, said = grade("work.zip", zipped(files))
    assert graded.report.scorecard.overall == pytest.approx(FULL)
    assert "Graded: " in said


def test_stray_files_are_left_out(grade: Callable[..., Any]) -> None:
    stray = ["donn\u00e9es/a.md", "Sam's & my notes.txt", "~$notes.docx", "env/pyvenv.cfg"]
    files = {"solution.py": REFERENCE.encode(), **dict.fromkeys(stray, b"x")}
    graded, said = grade("work.zip", zipped(files))
    assert [file.path for file in graded.report.files] == ["solution.py"]
    assert graded.report.scorecard.overall == pytest.approx(FULL)
    assert "left out" in said


def test_a_module_that_does_not_load_is_told_where_and_why(grade: Callable[..., Any]) -> None:
    broken = after_imports("get_ipython().run_line_magic('matplotlib', 'inline')")
    graded, said = grade("solution.py", broken.encode())
    assert graded.report.scorecard.overall == 1.0
    assert "NameError" in said
    assert f"solution&#46;py&#58;{broken[: broken.index('get_ipython')].count(chr(10)) + 1}" in said


@pytest.mark.parametrize(
    "first",
    [f"![plot](data:image/png;base64,{PNG * 8000})", "![plot](attachment:plot.png)", "<style>"],
)
def test_the_page_shows_every_cell(first: str, grade: Callable[..., Any]) -> None:
    data = json.loads(book("1 / 0"))
    data["cells"].insert(1, {"cell_type": "markdown", "metadata": {}, "source": first})
    graded, _ = grade("solution.ipynb", json.dumps(data).encode())
    page = (graded.folder / "notebook.html").read_text()
    assert "This cell failed" in page
    assert "_is_numeric" in page
    assert ("a picture is left out here" in page) == first.startswith("!")
