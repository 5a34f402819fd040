"""Seeds, suites, results folders, evidence and exit codes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from grader.batch import exit_code
from grader.errors import ExerciseError, JudgeError, PlatformError, UsageError
from grader.exercise.suite import load_suite
from grader.models import Cause, Status
from grader.record.results import ResultsFolder
from grader.record.seeds import commitment, run_seed, team_seed
from grader.scoring.evidence import collected_tests, evidence_of

if TYPE_CHECKING:
    from pathlib import Path


def test_first_use_makes_a_private_seed_of_128_bits(tmp_path: Path) -> None:
    seed = team_seed(tmp_path)
    assert len(bytes.fromhex(seed)) == 16
    assert (tmp_path / ".grader-seed").stat().st_mode & 0o777 == 0o600
    assert team_seed(tmp_path) == seed
    assert [path.name for path in tmp_path.iterdir()] == [".grader-seed"]


def test_damaged_seed_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".grader-seed").write_text("42")
    with pytest.raises(UsageError, match=r"\.grader-seed: a seed is 32 hexadecimal"):
        team_seed(tmp_path)


def test_exercises_have_unrelated_seeds() -> None:
    seeds = {run_seed("0" * 32, name, "1.0") for name in ("a", "b")} | {
        run_seed("0" * 32, "a", "1.1")
    }
    assert len(seeds) == 3


def test_commitment_binds_a_seed_without_showing_it() -> None:
    assert commitment("0" * 32) != commitment("1" * 32)
    assert "0" * 32 not in commitment("0" * 32)


def test_suite_leaves_solutions_and_hidden_files_behind(tmp_path: Path) -> None:
    for name in ("test_a.py", "data.py", "solutions/x/solution.py", ".grader-seed"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert set(load_suite(tmp_path).files) == {"test_a.py", "data.py"}


def test_suite_digest_follows_names_and_contents(tmp_path: Path) -> None:
    digests = set()
    for name, text in (("test_a.py", "1"), ("test_b.py", "1"), ("test_a.py", "2")):
        folder = tmp_path / f"{name}{text}"
        folder.mkdir()
        (folder / name).write_text(text)
        digests.add(load_suite(folder).digest)
    assert len(digests) == 3


def test_suite_without_tests_is_an_author_error(tmp_path: Path) -> None:
    with pytest.raises(ExerciseError, match=r"test_\*\.py"):
        load_suite(tmp_path)


def test_unpublished_results_leave_nothing(tmp_path: Path) -> None:
    results = ResultsFolder(tmp_path, "a-12345678")
    (results.draft / "report.json").write_text("{}")
    results.drop()
    assert not list(tmp_path.iterdir())


def test_published_results_never_replace_earlier_ones(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        results = ResultsFolder(tmp_path, "a-12345678")
        (results.draft / "report.json").write_text("{}")
        names.append(results.publish().name)
    assert names == ["a-12345678", "a-12345678-2", "a-12345678-3"]


def test_drafts_of_killed_commands_are_swept(tmp_path: Path) -> None:
    gone = tmp_path / ".a-12345678.999999999.abcd.draft"
    alive = tmp_path / f".a-12345678.{os.getpid()}.abcd.draft"
    for folder in (gone, alive):
        folder.mkdir()
    ResultsFolder(tmp_path, "b")
    assert not gone.exists()
    assert alive.exists()


def test_results_below_a_file_are_a_platform_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatformError, match="--out"):
        ResultsFolder(tmp_path / "file", "a")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], 0), ([0, 1], 1), ([1, 4, 0], 4), ([4, 3, 1], 3), ([0, 0], 0), ([2, 4], 2), ([2, 3], 3)],
)
def test_most_serious_exit_code_counts(codes: list[int], expected: int) -> None:
    assert exit_code(codes) == expected


TEST = {"id": "t", "criterion": "core", "title": "T", "hint": ""}
PASSED: dict[str, Any] = {
    **TEST,
    "status": "passed",
    "cause": "none",
    "message": "",
    "where": "",
    "calls": 1,
    "measurements": [],
    "wall_ns": 5,
}


def test_collected_test_without_a_record_has_failed() -> None:
    (item,) = evidence_of(collected_tests([TEST]), [])
    assert (item.status, item.cause) == (Status.FAILED, Cause.NO_RECORD)


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([PASSED, PASSED], "twice"),
        ([{**PASSED, "id": "other"}], "did not collect"),
        ([{**PASSED, "cause": "died"}], "has status passed and cause died"),
        ([{**PASSED, "status": "skipped"}], "skipped"),
        ([{**PASSED, "calls": float("nan")}], "calls"),
        ([{**PASSED, "message": 3}], "message"),
    ],
)
def test_record_that_cannot_be_is_the_judges_fault(
    records: list[dict[str, Any]], words: str
) -> None:
    with pytest.raises(JudgeError, match=words):
        evidence_of(collected_tests([TEST]), records)


@pytest.mark.parametrize("tests", [[], [TEST, TEST]])
def test_judge_that_collects_nothing_or_twice_is_at_fault(tests: list[dict[str, object]]) -> None:
    with pytest.raises(JudgeError):
        collected_tests(tests)
