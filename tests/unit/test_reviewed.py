"""What is read of a submission's text before anything of it runs."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from grader.candidate import reviewed
from grader.candidate.config import NotebookConfig
from grader.candidate.reviewed import Reviewed, read_apart

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as in the containers")

HINTED = b"""from __future__ import annotations
def f(x: list[str], y: "Other", z: tuple[a, *b]) -> Annotated[str, g(1)]: ...
"""


def test_a_process_of_its_own_reads_the_same() -> None:
    notebook = NotebookConfig("a.ipynb", ((1, "import os, re"), (2, "'\udc80é'")), 1000)
    files = {"solution.py": HINTED, "notes.txt": b"x: int"}
    found = read_apart(files, notebook)
    assert found == Reviewed.read(files, notebook)
    assert found.hints.keys() == {"list[str]", "tuple[a, *b]", "Annotated[str, g(1)]"}
    assert set(found.hints.values()) == {frozenset({"solution.py"})}
    assert found.active == {"tuple[a, *b]", "Annotated[str, g(1)]"}
    assert "import re" in found.parts


@pytest.mark.parametrize(
    "data",
    [
        b"x = " + b"(" * 100_000,
        b"x = " + b"-" * 200_000 + b"1",
        b"x" + b".a" * 200_000,
        b"\xff\xfe",
        b"x = '\x00'",
        b"# coding: nothing\n",
    ],
    ids=["brackets", "signs", "attributes", "bytes", "zero", "coding"],
)
def test_a_text_that_python_cannot_read_has_no_hints(data: bytes) -> None:
    assert read_apart({"solution.py": data}, None) == Reviewed({"solution.py": data})


@pytest.mark.slow
@pytest.mark.parametrize("how", ["dies", "sends half", "hangs"])
def test_a_reader_that_breaks_breaks_nobody_else(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Reviewed:
        if how == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "sends half":
            told = next(fd for fd in range(100, 2, -1) if _is_pipe_end(fd))
            os.write(told, (1000).to_bytes(8) + b"[[")
            os._exit(0)
        signal.pause()
        return Reviewed()

    monkeypatch.setattr(reviewed, "_SECONDS", 1.0)
    monkeypatch.setattr(Reviewed, "read", broken)
    assert read_apart({"solution.py": HINTED}, None) == Reviewed({"solution.py": HINTED})


def _is_pipe_end(fd: int) -> bool:
    try:
        return str(Path(f"/proc/self/fd/{fd}").readlink()).startswith("pipe:")
    except OSError:
        return False
