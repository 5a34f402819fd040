"""A fault of ours is never a score, and does not reach the next submission."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from grader import pipeline
from grader.errors import JudgeError
from grader.exercise.suite import Suite
from tests.sandbox.probe import HONEST, PROJECT, SEED, probe

if TYPE_CHECKING:
    from pathlib import Path

    from grader.sandbox.workbench import Workbench, Worker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

HEAD = 'import pytest\n\n@pytest.mark.criterion("core")\ndef test_zz(solution):\n    """T."""\n'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("    import os\n    os._exit(9)\n", "fault of its own"),
        ("    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n", "fault of its own"),
        ("    pass\n", "it never called the solution"),
        ("    {}['missing']\n", "KeyError"),
        ("    solution.double(object())\n", "which is no data"),
        ("    def\n", "SyntaxError|invalid syntax"),
    ],
)
def test_fault_of_the_judge_voids_the_run_only(
    body: str, words: str, worker: Worker, bench: Workbench, tmp_path: Path
) -> None:
    path = tmp_path / "solution.py"
    path.write_text(HONEST)
    grading = pipeline.prepare(path, root=PROJECT, exercise="probe", seed=SEED)
    suite = Suite({**grading.suite.files, "test_zz.py": (HEAD + body).encode()}, f"bad{hash(body)}")
    with pytest.raises(JudgeError, match=words):
        pipeline.run(
            worker, bench, dataclasses.replace(grading, suite=suite), out=tmp_path / "void"
        )
    assert not list((tmp_path / "void").iterdir())
    assert probe(worker, bench, HONEST, tmp_path).failed == {}
