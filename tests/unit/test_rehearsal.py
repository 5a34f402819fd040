"""Labelled solutions in forks of one process: verdicts, state, deaths and limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SUITE = """
import pytest
from grader.judge.compare import assert_value
from grader.judge.errors import raises

criterion = pytest.mark.criterion

@criterion("core")
def test_double(solution):
    '''It doubles.'''
    assert_value(solution.double(2), 4)

@criterion("core")
def test_again(solution):
    '''It doubles again.'''
    assert_value(solution.double(2), 4)

@criterion("edge")
def test_text(solution):
    '''It refuses text.'''
    with raises(TypeError):
        solution.double("2")

@criterion("hygiene")
def test_fresh(solution):
    '''A fresh process has seen nothing.'''
    first = solution.double(3)
    solution.fresh()
    assert_value(solution.double(3), first)
"""
HONEST = "def double(x):\n    if isinstance(x, str): raise TypeError('no')\n    return 2 * x\n"
COUNTS = "n = 0\ndef double(x):\n    global n\n    n += 1\n    return 4 if n == 1 else 5\n"
SOLUTIONS = {
    "honest": HONEST,
    "counts": COUNTS,
    "wrong": "def double(x):\n    return 3 * x\n",
    "exits": "import os\ndef double(x):\n    os._exit(0)\n",
    "loops": "def double(x):\n    while True: pass\n",
    "broken": "1 / 0\n",
    "imports_the_suite": "import test_it\ndouble = test_it.criterion\n",
    "reads_its_files": "def double(x):\n    with open('data') as file: return len(file.read())\n",
}
LIMITS = {"call_ms": 1000, "load_ms": 5000, "reply_bytes": 1 << 20}


def task(folder: Path, number: int, name: str, **others: Any) -> dict[str, Any]:
    submission = folder / name
    submission.mkdir()
    (submission / "solution.py").write_text(SOLUTIONS[name])
    (submission / "data").write_text("four")
    given = {
        "number": number,
        "name": name,
        "suite": str(folder / "suite"),
        "submission": str(submission),
        "meta": {"entry": "solution.py", "names": ["double"], "methods": {}},
        "preload": [],
        "packages": ["pandas"],
        "seed": "5eed" * 8,
        "may_fail": [],
        "share": 1,
        "result": str(folder / f"{name}.json"),
    }
    return given | LIMITS | others


def run(folder: Path, tasks: list[dict[str, Any]], seconds: float = 60) -> dict[int, str]:
    """How each child ended."""
    (folder / "suite").mkdir(exist_ok=True)
    (folder / "suite/test_it.py").write_text(SUITE)
    (folder / "suite/pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "grader.rehearsal.forks", "2", str(seconds)]
    lines = "".join(json.dumps(item) + "\n" for item in tasks)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, input=lines, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    told = map(json.loads, done.stdout.splitlines())
    return {item["number"]: item["ended"] for item in told}


def causes(folder: Path, name: str) -> dict[str, str]:
    told = json.loads((folder / f"{name}.json").read_text())
    assert told["faults"] == []
    return {item["id"].partition("::test_")[2]: item["cause"] for item in told["evidence"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rehearsal")
    ended = run(made, [task(made, number, name) for number, name in enumerate(SOLUTIONS)])
    assert ended == dict.fromkeys(range(len(SOLUTIONS)), "")
    return made


TESTS = ("double", "again", "text", "fresh")
EXPECTED = {
    "honest": ("none", "none", "none", "none"),
    "counts": ("none", "none", "wrong-value", "none"),  # no test sees another one's count
    "wrong": ("wrong-value", "wrong-value", "wrong-value", "none"),
    "exits": ("died", "died", "died", "died"),
    "loops": ("timeout", "timeout", "timeout", "timeout"),
    "broken": ("load-error", "load-error", "load-error", "load-error"),
    "imports_the_suite": ("load-error", "load-error", "load-error", "load-error"),
    "reads_its_files": ("none", "none", "wrong-value", "none"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_verdicts_are_those_of_a_process_for_each_test(folder: Path, name: str) -> None:
    assert causes(folder, name) == dict(zip(TESTS, EXPECTED[name], strict=True))


def test_static_checks_come_with_the_verdicts(folder: Path) -> None:
    told = json.loads((folder / "honest.json").read_text())
    assert [item["id"] for item in told["static_tests"]] == [
        item["id"] for item in told["static_evidence"]
    ]
    assert told["static_evidence"]


def test_a_share_of_the_tests_that_cannot_fail_is_run(tmp_path: Path) -> None:
    (tmp_path / "suite").mkdir()
    run(tmp_path, [task(tmp_path, 0, "wrong", may_fail=["core", "test_it.py::test_text"], share=3)])
    by_chance = {
        name for name in TESTS if zlib.crc32(f"wrong test_it.py::test_{name}".encode()) % 3 == 0
    }
    assert causes(tmp_path, "wrong").keys() == {"double", "again", "text"} | by_chance
    left_out = json.loads((tmp_path / "wrong.json").read_text())["left_out"]
    assert {item["id"].partition("::test_")[2] for item in left_out} == {"fresh"} - by_chance
    assert all("line" in item for item in left_out)


def test_a_child_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    ended = run(tmp_path, [task(tmp_path, 7, "loops", call_ms=60_000)], seconds=1)
    assert ended == {7: "took longer than 1 s"}
    assert not (tmp_path / "loops.json").exists()
