"""A signal that comes before the command has begun to work ends it as quietly as a later one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RAISES = "import os, signal; os.kill(os.getpid(), signal.{}); [None for _ in range(1_000_000)]"


@pytest.mark.parametrize("how", ["{}", "exec({!r})"], ids=["module", "exec-of-a-string"])
@pytest.mark.parametrize("name", [signal.SIGINT.name, signal.SIGTERM.name])
def test_interrupt_in_an_import_is_an_exit_code_and_a_line(
    name: str, how: str, tmp_path: Path
) -> None:
    """Python ends `python -m` by the signal where it came in a string's `exec`, though caught."""
    (tmp_path / "rich").mkdir()  # the first package that the command imports
    (tmp_path / "rich/__init__.py").write_text(how.format(RAISES.format(name)), encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "grader", "nothing"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "interrupted; nothing had been started\n")


LATE = {
    "at exit": "atexit.register(os.kill, os.getpid(), signal.{})",
    "while modules end": (
        "class Late:\n"
        "    def __del__(self, end=os.kill, pid=os.getpid(), by=signal.{}): end(pid, by)\n"
        "sys.late = Late()\n"
    ),
}


@pytest.mark.parametrize("when", LATE)
@pytest.mark.parametrize("name", [signal.SIGINT.name, signal.SIGTERM.name])
def test_a_signal_after_the_last_line_of_a_command_changes_nothing(
    name: str, when: str, tmp_path: Path
) -> None:
    start = "import atexit, os, signal, sys\n" + LATE[when].format(name)
    (tmp_path / "sitecustomize.py").write_text(start, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "grader", "list", "--root", str(ROOT)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "imputation" in done.stdout
