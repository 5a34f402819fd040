"""Notebooks in the real sandbox: what is shown, what is graded, and what attacks change."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest

from grader import pipeline
from grader.intake.submission import digest_of
from grader.models import Submission, SubmissionFile
from grader.notebook.resolve import resolve
from grader.proof.replay import replay
from tests.sandbox.probe import HONEST, PROJECT, SEED
from tests.unit.notebooks import code, notebook, text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from grader.pipeline import Graded
    from grader.sandbox.workbench import Workbench, Worker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]


def grade(
    worker: Worker, bench: Workbench, out: Path, *cells: Mapping[str, object] | str
) -> tuple[Graded, dict[str, str]]:
    """The run, and the causes of failed tests by name."""
    path = out / "solution.ipynb"
    path.write_bytes(notebook(*cells))
    grading = pipeline.prepare(path, root=PROJECT, exercise="probe", seed=SEED)
    graded = pipeline.run(worker, bench, grading, out=out / "results")
    return graded, {
        item.test.id.partition("::")[2]: str(item.cause)
        for item in graded.report.evidence
        if item.status == "failed"
    }


def test_a_notebook_is_run_shown_and_graded(
    worker: Worker, bench: Workbench, tmp_path: Path
) -> None:
    stored = {"output_type": "stream", "name": "stdout", "text": "another day\n"}
    graded, failed = grade(
        worker,
        bench,
        tmp_path,
        text("# Title <script>alert(1)</script>"),
        HONEST,
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "import warnings\nwarnings.warn('careful')\n1 / 0",
        code("print('today')", 4, stored),
    )
    assert failed == {}
    facts = graded.report.notebook
    assert facts is not None
    assert [(e.number, e.line, e.type.raw) for e in facts.errors] == [(3, 3, "ZeroDivisionError")]
    assert [(d.number, d.stored.raw, d.fresh.raw) for d in facts.differences] == [
        (4, "another day", "today")
    ]
    assert facts.figures == 1
    page = (graded.folder / "notebook.html").read_text()
    assert "<script" not in page
    assert "data:image/png;base64," in page
    assert "line 3: ZeroDivisionError" in page
    assert "another day" in page
    for name in ("scorecard.txt", "feedback.md"):
        shown = (graded.folder / name).read_text().lower()
        assert "cell 3, line 3" in shown, name
    told = json.loads((graded.folder / "report.json").read_text())["notebook"]
    assert told["errors"][0] == {
        "cell": 3,
        "line": 3,
        "type": "ZeroDivisionError",
        "message": "division by zero",
        "source": "1 / 0",
    }
    assert replay(graded.folder, root=PROJECT) is not None


def test_checks_that_do_not_need_a_failed_cell_still_count(
    worker: Worker, bench: Workbench, tmp_path: Path
) -> None:
    before, mark, after = HONEST.partition("def count")
    graded, failed = grade(worker, bench, tmp_path, before, f"x = missing\n\n{mark}{after}")
    assert {"test_a_value", "test_g_neighbour"}.isdisjoint(failed)
    assert failed["test_b_count"] == "candidate-error"
    message = next(
        str(item.message)
        for item in graded.report.evidence
        if item.test.id.endswith("test_b_count")
    )
    assert "solution.ipynb does not define count; cell 2, line 1 failed: NameError" in message


# In the run for the report only; tests load the notebook as a module.
ATTACKS = {
    "forge the account of the run": """
import os
for fd in range(3, 64):
    try:
        os.write(fd, b'{"done": 2, "outputs": []}\\n{"end": true}\\n' * 50)
        os.write(fd, b"\\xff" * 4096)
    except OSError:
        pass
""",
    "kill everything": """
import os, signal
os.kill(-1, signal.SIGKILL)
os.kill(os.getpid(), signal.SIGKILL)
""",
    "rewrite the supervisor": """
import os
for name in ("mem", "environ"):
    try:
        open(f"/proc/1/{name}", "r+b").write(b"x")
    except OSError:
        continue
    raise SystemExit("open")
""",
    "leave processes and files behind": """
import os, time
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        while True:
            time.sleep(0.01)
open("/tmp/left-1", "w").write("x")
count()
""",
    "never end": """
import signal
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True:
    pass
""",
    "flood the outputs": """
while True:
    print("x" * 100_000)
    display("y" * 100_000)
""",
    "take all memory": "x = [bytearray(1 << 20) for _ in range(4096)]",
    "replace the shell": """
import sys
shell = get_ipython()
shell.watcher.outputs = [{"output_type": "stream", "text": "<script>alert(1)</script>"}] * 999
sys.modules["grader.candidate.cells"].__dict__.clear()
""",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_in_the_run_for_the_report_changes_no_verdict(
    worker: Worker, bench: Workbench, tmp_path: Path, name: str
) -> None:
    lines = "\n".join(f"    {line}" for line in ATTACKS[name].strip().splitlines())
    guarded = f'if __name__ == "__main__":\n{lines}'
    graded, failed = grade(worker, bench, tmp_path, HONEST, guarded, "print('later')")
    assert failed == {}
    page = graded.folder / "notebook.html"
    assert not page.exists() or "<script" not in page.read_text()


def test_what_the_file_says_of_itself_changes_nothing(
    worker: Worker, bench: Workbench, tmp_path: Path
) -> None:
    skipped = {**code(HONEST), "metadata": {"tags": ["skip-execution", "raises-exception"]}}
    data = notebook(skipped, metadata={"kernelspec": {"name": "bash", "language": "bash"}})
    files = (SubmissionFile("work/analysis.ipynb", data),)
    (tmp_path / "honest.py").write_text(HONEST)
    grading = pipeline.prepare(tmp_path / "honest.py", root=PROJECT, exercise="probe", seed=SEED)
    submission = Submission("tagged", tmp_path, digest_of(files), files)
    grading = dataclasses.replace(grading, submission=resolve(submission, grading.exercise))
    graded = pipeline.run(worker, bench, grading, out=tmp_path / "results")
    assert all(item.status == "passed" for item in graded.report.evidence)
    assert any("skip-execution" in note for note in graded.report.submission_notes)
    assert any("kernel 'bash'" in note for note in graded.report.submission_notes)
