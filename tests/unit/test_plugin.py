"""The judge's plugin on small suites, with a scripted candidate."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.author_runs import run_pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

HEAD = """
import hypothesis, pytest
from hypothesis import given, strategies as st
from grader.judge.errors import raises
criterion = pytest.mark.criterion("core", hint="think")
"""
SOLUTION = """
import itertools
def double(x): return 2 * x
def refuse(x): raise ValueError("no")
ticks = itertools.count()
def tick(x): return next(ticks)
"""


def evidence(
    tmp_path: Path, suite: str, *options: str, keep: bool = False, own_process: bool = False
) -> dict[str, dict[str, Any]]:
    """Run a suite in author mode, on the solution that is there to `keep`; records by test.

    Runs are forks of one process; in a process of its own each has another hash seed.
    """
    (tmp_path / "solution").mkdir(exist_ok=True)
    if not keep:
        (tmp_path / "solution/solution.py").write_text(SOLUTION)
    (tmp_path / "suite").mkdir(exist_ok=True)
    (tmp_path / "suite/test_it.py").write_text(HEAD + suite)
    told = tmp_path / "told"
    arguments = ["-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", "/dev/null"]
    arguments += ["--solution", str(tmp_path / "solution"), "--evidence", str(told), *options]
    arguments.append(str(tmp_path / "suite"))
    if own_process:
        command = [sys.executable, "-m", "pytest", *arguments]
        subprocess.run(command, capture_output=True, check=False)
    else:
        run_pytest(*arguments)
    records = [json.loads(line) for line in told.read_text().splitlines()]
    return {item["id"].partition("::")[2]: item for item in records}


BODIES = {
    "right": ("assert solution.double(2) == 4", "passed", "none"),
    "wrong": ("assert solution.double(2) == 5", "failed", "wrong-value"),
    "raises": ("solution.refuse(1)", "failed", "candidate-error"),
    "skips": ("solution.double(2); pytest.skip('x')", "failed", "skipped"),
    "expected": ("solution.double(2); pytest.xfail('x')", "failed", "skipped"),
    "stumbles": ("solution.double(2)['a']", "failed", "test-error"),
    "asks_nothing": ("pass", "failed", "test-error"),
    "is_broken": ("raise KeyError('a')", "failed", "test-error"),
}


def test_verdicts_and_causes(tmp_path: Path) -> None:
    suite = "".join(
        f'@criterion\ndef test_{name}(solution):\n    """It holds."""\n    {body}\n\n'
        for name, (body, _, _) in BODIES.items()
    )
    seen = {
        name.removeprefix("test_"): (record["status"], record["cause"])
        for name, record in evidence(tmp_path, suite).items()
    }
    assert seen == {name: expected[1:] for name, expected in BODIES.items()}


def test_expected_failure_that_passes_is_no_pass(tmp_path: Path) -> None:
    suite = (
        '@pytest.mark.xfail\n@criterion\ndef test_x(solution):\n    """T."""\n'
        "    assert solution.double(2) == 5\n"
    )
    assert evidence(tmp_path, suite)["test_x"]["status"] == "failed"


def test_record_holds_title_hint_and_criterion(tmp_path: Path) -> None:
    suite = (
        '@criterion\ndef test_x(solution):\n    """It holds.\n\n    More."""\n'
        "    solution.double(1)\n"
    )
    record = evidence(tmp_path, suite)["test_x"]
    assert (record["title"], record["hint"], record["criterion"]) == ("It holds", "think", "core")
    assert record["calls"] == 1


def test_message_names_the_falsifying_example_without_addresses(tmp_path: Path) -> None:
    suite = (
        "class Odd:\n    pass\n"
        "@criterion\n@given(st.integers(0, 10).map(lambda n: (n, Odd())))\n"
        'def test_x(solution, pair):\n    """T."""\n'
        "    assert solution.double(pair[0]) < 8, repr(pair[1])\n"
    )
    message = evidence(tmp_path, suite)["test_x"]["message"]
    assert "Failing test case" in message
    assert "(4," in message
    assert "0x…" in message


def test_inconstant_answer_is_a_wrong_value(tmp_path: Path) -> None:
    suite = (
        "@criterion\n@given(st.integers())\n"
        'def test_x(solution, n):\n    """T."""\n'
        "    assert solution.tick(n) < 3\n"
    )
    record = evidence(tmp_path, suite)["test_x"]
    assert (record["status"], record["cause"]) == ("failed", "wrong-value")


GENERATED = """
seen = []
@criterion
@given(st.lists(st.floats() | st.text() | st.integers()))
def test_x(solution, values):
    '''T.'''
    seen.append(repr(values))
    solution.double(values)

@criterion
def test_y(solution, rng, measure):
    '''T.'''
    import zlib
    solution.double(1)
    measure("examples", zlib.crc32("".join(seen).encode()), "crc")
    measure("random", rng.random(), "1")
"""


def test_one_seed_gives_one_set_of_examples(tmp_path: Path) -> None:
    extras = ("", "import decimal, xml.dom.minidom\nLOCAL = [123456789, 'a local constant']\n")
    runs = [
        evidence(tmp_path, extra + GENERATED, "--suite-seed", "5eed" * 8, own_process=True)[
            "test_y"
        ]
        for extra in extras
    ]
    assert runs[0]["measurements"] == runs[1]["measurements"]


def test_other_seed_gives_other_examples(tmp_path: Path) -> None:
    runs = [
        evidence(tmp_path, GENERATED, "--suite-seed", seed * 32)["test_y"]["measurements"]
        for seed in "12"
    ]
    assert runs[0][0] != runs[1][0]
    assert runs[0][1] != runs[1][1]


def test_shrinking_is_bounded_by_calls(tmp_path: Path) -> None:
    suite = (
        "@criterion\n@given(st.lists(st.integers(), min_size=30))\n"
        'def test_x(solution, values):\n    """T."""\n'
        "    assert sum(solution.double(values)) < 0\n"
    )
    assert evidence(tmp_path, suite)["test_x"]["calls"] < 1500


def test_candidate_that_fails_in_a_fixture_fails_these_tests_and_no_other(tmp_path: Path) -> None:
    suite = """
@pytest.fixture
def doubled(solution):
    return solution.gone(1)

@criterion
def test_one(doubled):
    \"\"\"It holds.\"\"\"

@criterion
def test_two(doubled):
    \"\"\"It holds.\"\"\"

@criterion
def test_three(solution):
    \"\"\"It holds.\"\"\"
    assert solution.double(1) == 2
"""
    # What a dying process does to a test is a failure of the channel; so is what cannot load.
    assert {n: r["cause"] for n, r in evidence(tmp_path, suite).items()} == {
        "test_one": "candidate-error",
        "test_two": "candidate-error",
        "test_three": "none",
    }
    (tmp_path / "solution/solution.py").write_text("raise ValueError('no')")
    records = evidence(tmp_path, suite, keep=True)

    assert {name: record["cause"] for name, record in records.items()} == dict.fromkeys(
        ("test_one", "test_two", "test_three"), "load-error"
    )


LEAVES_FILES = """
import tempfile
def double(x): return 2 * x if tempfile.mkdtemp() else None
"""


def test_what_a_solution_leaves_in_scratch_space_goes_with_its_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scratch := tmp_path / "scratch").mkdir()
    (tmp_path / "solution").mkdir()
    (tmp_path / "solution/solution.py").write_text(LEAVES_FILES)
    monkeypatch.setenv("TMPDIR", str(scratch))
    body = '"""It doubles."""\n    assert solution.double(2) == 4\n'
    found = evidence(tmp_path, f"@criterion\ndef test_one(solution):\n    {body}", keep=True)
    assert found["test_one"]["status"] == "passed"
    assert list(scratch.iterdir()) == []
