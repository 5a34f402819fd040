"""A replay holds the whole score against the report, and the report against the transcript."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from grader.errors import ReplayMismatch, UsageError
from grader.proof.replay import replay
from tests.unit.finished_run import ROOT, finished_run, replayer

if TYPE_CHECKING:
    from pathlib import Path


def replayed(folder: Path) -> int:
    return len(replay(folder, root=ROOT, replayer=replayer()))


def edit(folder: Path, *path: str | int, to: object) -> None:
    report = json.loads((folder / "report.json").read_text())
    place: Any = report
    for key in path[:-1]:
        place = place[key]
    assert place[path[-1]] != to
    place[path[-1]] = to
    (folder / "report.json").write_text(json.dumps(report))


def test_an_untouched_run_comes_out_again(tmp_path: Path) -> None:
    assert replayed(finished_run(tmp_path)) == 12


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        (("overall",), 4.0, r"score\.overall is 4\.0 and not"),
        (("band",), "below", r"score\.band is 'below' and not"),
        (("seniority",), "principal", r"score\.seniority is 'principal'"),
        (("meets", "overall"), 1.0, r"score\.meets\.overall is 1\.0"),
        (("exceeds", "overall"), 3.99, r"score\.exceeds\.overall is 3\.99"),
        (("missed",), ["x"], r"score\.missed"),
        (("categories", 0, "level"), 4, r"score\.categories\.code_correctness\.level is 4 "),
        (("categories", 0, "level_name"), "excellent", r"code_correctness\.level_name"),
        (("categories", 0, "weight"), 0.9, r"code_correctness\.weight"),
        (("categories", 0, "decided_by"), "all", r"code_correctness\.decided_by"),
        (("categories", 0, "criteria", 2, "passed"), 1, r"criteria\.edge\.passed is 1"),
        (("categories", 0, "indicators"), [], r"code_correctness\.indicators"),
    ],
)
def test_a_forged_score_is_found(
    tmp_path: Path, path: tuple[str | int, ...], to: object, said: str
) -> None:
    folder = finished_run(tmp_path)
    edit(folder, "score", *path, to=to)
    with pytest.raises(ReplayMismatch, match=said):
        replayed(folder)


def test_another_rubric_is_named_as_a_reason(tmp_path: Path) -> None:
    folder = finished_run(tmp_path)
    edit(folder, "run", "scoring_digest", to="0" * 64)
    assert replayed(folder) == 12
    edit(folder, "score", "band", to="below")
    with pytest.raises(ReplayMismatch, match="rubric, expectations or task sheet are not those"):
        replayed(folder)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("submission", "digest"), "submission"),
        (("volatile", "run_id"), "run"),
        (("exercise", "version"), "exercise_version"),
        (("run", "suite_digest"), "suite"),
        (("run", "judge_image"), "judge_image"),
    ],
)
def test_a_report_of_another_run_is_found(tmp_path: Path, path: tuple[str, ...], name: str) -> None:
    folder = finished_run(tmp_path)
    edit(folder, *path, to="0" * 64)
    with pytest.raises(ReplayMismatch, match=f"not of the transcript's run: other {name}"):
        replayed(folder)


def test_a_transcript_that_says_too_little_is_of_no_run(tmp_path: Path) -> None:
    folder = finished_run(tmp_path)
    (folder / "transcript.gz").write_bytes(gzip.compress(b'{"schema":"transcript/1"}\n'))
    with pytest.raises(UsageError, match="its first line lacks run"):
        replayed(folder)
