"""Shards of a collection: each submission in one of them, and together what one machine writes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader import pipeline
from grader.collect.part import FILE, Shard, read_part
from grader.commands import collect
from grader.errors import PlatformError, UsageError
from grader.record.results import ResultsFolder
from grader.report.report_json import build_report, stable_bytes, write_report

sys.path.insert(0, str(Path(__file__).parent))
from test_collect import (
    LOG,
    Fast,
    _interruptible,  # noqa: F401 - a fixture
    arguments,
    fabricated,
    fast,
    submission,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.pipeline import Graded, Grading

ROSTER = "username,first_name,last_name,email,section,github_id\n" + "".join(
    f"c{n:02},Name{n},Ox,c{n:02}@example.com,S1,{n}\n" for n in range(12)
)
OPTIONS = ("--due", "2026-05-01T08:00+00:00")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a roster and 14 submissions, of which all kinds of rows come; it is current."""
    monkeypatch.chdir(tmp_path)
    Path("roster.csv").write_text(ROSTER)
    for number in range(9):
        submission(Path("in", f"c{number:02}"), f"x = {number}\n")
    submission(Path("in", "c09"), "x = 0\n")  # the same files as c00
    Path("in/c10").mkdir()  # rejected; c11 is missing
    submission(Path("in", "stranger"), "x = 99\n")
    submission(Path("in", "c00 (2)"), "x = 100\n")
    shutil.rmtree("in/c02")
    Path("in/c02").mkdir()
    for day, name in ((30, "c02/a.zip"), (33, "c02/b.zip"), (33, "late.zip")):
        path = Path("in", name)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("solution.py", f"x = '{name}'\n")
        when = dt.datetime(2026, 4, 1, tzinfo=dt.UTC).timestamp() + day * 86_400
        os.utime(path, (when, when))
    return tmp_path


def shard(text: str, out: str, *more: str, **options: Any) -> int:
    argv = arguments(Path("in"), Path(out), "--roster", "roster.csv", *OPTIONS, *more)
    return collect.run([*argv, "--shard", text], benches=fast(Path(out), **options))


def merged(*parts: str, out: str = "out", more: tuple[str, ...] = ()) -> int:
    argv = ["--merge", *parts, "--out", out, "--as-recorded", *more]
    return collect.run([*argv, "--root", str(Path(collect.__file__).parents[2])])


def pages(out: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(out).iterdir() if path.is_file()}


def runs(out: str) -> list[str]:
    return sorted(path.name for path in Path(out, "runs").iterdir() if path.name != ".lock")


def reports(out: str) -> dict[str, bytes]:
    found = Path(out, "runs").glob("*/report.json")
    return {path.parent.name: stable_bytes(json.loads(path.read_text())) for path in found}


def relabelled(**changes: str) -> list[Callable[[], Fast]]:
    """Grades as another grader or other images would."""

    class Other(Fast):
        def grade(self, grading: Grading, out: Path, *, last: bool) -> Graded:
            del last
            made = fabricated(grading)
            made = dataclasses.replace(made, run=dataclasses.replace(made.run, **changes))
            name = f"{grading.submission.name}-{grading.submission.digest[:8]}"
            results = ResultsFolder(out, name)
            write_report(results.draft / "report.json", build_report(made))
            return pipeline.Graded(made, results.publish())

    return [lambda: Other(Path(LOG))]


def rewritten(part: str, change: Callable[[dict[str, Any]], None]) -> None:
    path = Path(part, FILE)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_a_submission_is_in_one_shard_for_good() -> None:
    digest = "00000000000000ff" + "0" * 48
    assert [n for n in range(1, 9) if Shard(n, 8).holds(digest)] == [255 % 8 + 1]
    assert Shard(1, 1).holds(digest)


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "1", "1/0", "a/b", "1/4/2", "-1/4", "1/100001", "\u0663/4"]
)
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no shard like 2/8"):
        Shard.parse(text)


def test_shards_grade_each_submission_once(work: Path) -> None:
    for index in (1, 2, 3):
        assert shard(f"{index}/3", f"part{index}") == 0
    graded = (work / LOG).read_text().split()
    assert (len(graded), len(set(graded))) == (12, 12)  # of c00 and c09 one, of c02 the last


def test_merged_parts_are_what_one_run_writes(work: Path) -> None:
    for index in (1, 2, 3):
        shard(f"{index}/3", f"part{index}")
    assert merged("part3", "part1", "part2", more=("--gradebook", "all")) == 0
    Path("out").rename("merged")
    argv = arguments(Path("in"), Path("out"), "--roster", "roster.csv", *OPTIONS)
    assert collect.run([*argv, "--gradebook", "all"], benches=fast(work / "out")) == 0
    assert pages("merged") == pages("out")
    assert reports("merged") == reports("out")
    assert {row["state"] for row in table(Path("out"))} == {
        "graded", "rejected", "missing", "superseded",
    }  # fmt: skip
    assert {row["late"] for row in table(Path("out"))} == {"", "no", "yes"}


def test_a_run_is_copied_whole(work: Path) -> None:
    shard("1/1", "part")
    merged("part")
    copies = sorted((work / "out" / "runs").glob("*/*"))
    originals = sorted((work / "part" / "runs").glob("*/*"))
    assert [(p.parent.name, p.name, p.read_bytes()) for p in copies] == [
        (p.parent.name, p.name, p.read_bytes()) for p in originals
    ]


def test_merging_twice_is_merging_once(work: Path) -> None:
    del work
    shard("1/2", "part1")
    shard("2/2", "part2")
    merged("part1", "part2")
    before = pages("out"), runs("out")
    assert merged("part1", "part2") == 0
    assert (pages("out"), runs("out")) == before


def test_a_missing_shard_is_named_and_its_rows_wait(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del work
    shard("1/3", "part1")
    shard("3/3", "part3")
    assert merged("part1", "part3") == PlatformError.exit_code
    assert "shard 2/3 is missing" in capsys.readouterr().err
    waiting = {row["digest"] for row in table(Path("out")) if row["state"] == "pending"}
    assert waiting
    assert all(Shard(2, 3).holds(digest) for digest in waiting)
    shard("2/3", "part2")
    assert merged("part1", "part2", "part3") == 0


def test_a_shard_without_a_submission_is_a_part_all_the_same(tmp_path: Path) -> None:
    submission(tmp_path / "in" / "ann", "x = 1\n")
    parts = []
    for index in (1, 2):
        out = tmp_path / f"part{index}"
        argv = [*arguments(tmp_path / "in", out), "--shard", f"{index}/2"]
        assert collect.run(argv, benches=fast(out)) == 0
        parts.append(str(out))
    assert merged(*parts, out=str(tmp_path / "out")) == 0
    assert [row["state"] for row in table(tmp_path / "out")] == ["graded"]


def test_a_platform_failure_is_no_score_until_its_shard_is_run_again(work: Path) -> None:
    del work
    assert shard("1/1", "part", fail="c03") == PlatformError.exit_code
    assert merged("part") == PlatformError.exit_code
    (failed,) = (row for row in table(Path("out")) if row["state"] == "failed")
    assert (failed["candidate"], failed["score"]) == ("c03", "")
    assert failed["notes"] == "not graded: the engine is gone"
    assert shard("1/1", "part") == 0
    assert merged("part") == 0


def test_an_interrupted_shard_goes_on_where_it_was(work: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        shard("1/1", "part", after=5)
    assert merged("part") == PlatformError.exit_code
    assert shard("1/1", "part") == 0
    graded = (work / LOG).read_text().split()
    assert (len(graded), len(set(graded))) == (12, 12)
    assert merged("part") == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("version", "another version of the exercise for imputation"),
        ("suite", "another suite of hidden tests for imputation"),
        ("scoring", "another rubric, expectation or task sheet for imputation"),
        ("environment", "another Python or packages for imputation"),
        ("seed", "another seed for imputation"),
    ],
)
def test_parts_on_other_terms_are_refused(work: Path, name: str, said: str) -> None:
    del work
    shard("1/2", "part1")
    shard("2/2", "part2")

    def change(document: dict[str, Any]) -> None:
        document["terms"]["imputation"][name] = "f" * 64

    rewritten("part2", change)
    with pytest.raises(UsageError, match=rf"part2 \(shard 2/2\) differs from part1 .*{said}"):
        merged("part1", "part2")
    assert runs("out") == []


def test_a_seed_of_ones_own_is_told(work: Path) -> None:
    del work
    shard("1/2", "part1")
    shard("2/2", "part2", "--seed", "f" * 32)
    with pytest.raises(UsageError, match="another seed for imputation"):
        merged("part1", "part2")


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("judge_image", "another judge image"),
        ("candidate_image", "another candidate image"),
        ("grader_version", "another version of the grader"),
    ],
)
def test_runs_of_other_images_are_refused(work: Path, fact: str, said: str) -> None:
    del work
    shard("1/2", "part1")
    argv = arguments(Path("in"), Path("part2"), "--roster", "roster.csv", *OPTIONS)
    collect.run([*argv, "--shard", "2/2"], benches=relabelled(**{fact: "sha256:" + "9" * 64}))
    with pytest.raises(UsageError, match=said):
        merged("part1", "part2")
    assert runs("out") == []


def test_another_analyst_image_is_told_by_the_binding(work: Path) -> None:
    del work
    shard("1/1", "part")
    for number, run in enumerate(sorted(Path("part", "runs").glob("*/"))):
        (run / "binding.json").write_text(json.dumps({"analyst_image": f"sha256:{number // 6}"}))
    with pytest.raises(UsageError, match="another analyst image"):
        merged("part")


def test_shards_that_saw_other_submissions_are_refused(work: Path) -> None:
    shard("1/2", "part1")
    (work / "in" / "c03" / "solution.py").write_text("x = 33\n")
    shard("2/2", "part2")
    with pytest.raises(UsageError, match="the row of 'c03' has another key"):
        merged("part1", "part2")


def test_shards_with_other_rosters_are_refused(work: Path) -> None:
    shard("1/2", "part1")
    (work / "roster.csv").write_text(ROSTER + "d,D,Ox,d@example.com,S1,77\n")
    shard("2/2", "part2")
    with pytest.raises(UsageError, match=r"the row of .* has another person"):
        merged("part1", "part2")


def test_parts_of_two_divisions_are_refused(work: Path) -> None:
    del work
    shard("1/2", "part1")
    shard("2/3", "part2")
    with pytest.raises(UsageError, match="part1 is shard 1/2 and part2 is shard 2/3"):
        merged("part1", "part2")


def test_two_parts_of_one_shard_are_refused(work: Path) -> None:
    shard("1/2", "part1")
    shutil.copytree(work / "part1", work / "copy")
    with pytest.raises(UsageError, match="copy and part1 are both shard 1/2"):
        merged("part1", "copy")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "shard/2"}', "[" * 100_000])
def test_a_damaged_part_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UsageError, match=r"shard\.json is not a shard/1 file"):
        read_part(tmp_path)


def test_a_folder_that_is_no_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the folders that grade collect --shard wrote"):
        read_part(tmp_path)


def test_a_link_in_a_run_is_not_followed(work: Path) -> None:
    shard("1/1", "part")
    run = min(Path("part", "runs").glob("*/"))
    os.mkfifo(run / "pipe")
    with pytest.raises(PlatformError, match="cannot be copied"):
        merged("part")
    assert not list((work / "out" / "runs").glob(".*.draft"))


def test_another_run_of_the_same_submission_is_not_replaced(work: Path) -> None:
    del work
    shard("1/1", "part")
    merged("part")
    for report in Path("part", "runs").glob("*/report.json"):
        report.write_text(report.read_text().replace("2026-01-01T00", "2026-01-02T00"))
    with pytest.raises(UsageError, match="choose an empty folder"):
        merged("part")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["in", "--merge", "a"], "--merge takes no FOLDER"),
        (["--merge", "a", "--seed", "0" * 32], "--merge takes no --seed"),
        (["--shard", "1/2"], "FOLDER is missing"),
        (["in", "--shard", "1/2", "--gradebook", "all"], "--gradebook belongs to --merge"),
        (["in", "--shard", "3/2"], "'3/2' is no shard"),
    ],
)
def test_options_that_exclude_each_other(
    capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        collect.run(argv)
    assert said in capsys.readouterr().err
