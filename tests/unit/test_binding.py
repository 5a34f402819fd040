"""What an audit says of a results folder, page by page, and that no file in it stops the audit."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader import cli
from grader.errors import UsageError
from grader.proof.audit import audit
from grader.record.binding import BINDING, SIGNATURE, bind
from grader.record.seeds import run_seed
from grader.record.signing import VARIABLE, make_key, read_public_key
from tests.unit.finished_run import ROOT, SEED, finished_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.proof.audit import Check


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A signed run and its public key."""
    folder = tmp_path_factory.mktemp("signed")
    public = make_key(folder / "key.pem")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder / "key.pem"))
        return finished_run(folder), read_public_key(public)


@pytest.fixture
def run(signed: tuple[Path, bytes], tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(signed[0], tmp_path / "run")


@pytest.fixture
def look(signed: tuple[Path, bytes]) -> Callable[[Path], dict[str, Check]]:
    """The audit's checks by name."""

    def look(folder: Path, root: Path = ROOT) -> dict[str, Check]:
        checks = audit(folder, root=root, public_key=signed[1])
        return {check.name: check for check in checks}

    return look


def differing(checks: dict[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if check.state == "differs"]


def test_every_page_of_an_untouched_run_is_as_written(run: Path, look: Any) -> None:
    checks = look(run)
    assert differing(checks) == []
    pages = ["feedback.html", "feedback.md", "notebook.html", "report.html", "scorecard.txt"]
    assert [n for n, c in checks.items() if c.text == "as written with the run"] == pages


@pytest.mark.parametrize(
    "name", ["report.html", "scorecard.txt", "feedback.html", "feedback.md", "notebook.html"]
)
def test_an_edited_page_differs(run: Path, look: Any, name: str) -> None:
    (run / name).write_text("Excellent")
    assert differing(look(run)) == [name]


def test_a_page_that_was_made_again_matches(run: Path, look: Any) -> None:
    binding = json.loads((run / BINDING).read_text())
    del binding["pages"]["report.html"]  # as if another version had written it
    (run / BINDING).write_text(json.dumps(binding))
    checks = look(run)
    assert (checks["report.html"].state, checks["report.html"].text) == (
        "ok",
        "as the bound report gives it again",
    )


def test_formats_that_were_made_later_match_until_they_are_edited(run: Path, look: Any) -> None:
    words = ["report", str(run), "--format", "all", "--root", str(ROOT)]
    assert cli.main(words) == 0
    made = ("junit.xml", "checks.csv", "summary.md", "results.json", "classroom-result.b64")
    checks = look(run)
    assert {checks[name].text for name in made} == {"as the bound report gives it again"}
    (run / "junit.xml").write_text("<testsuite/>")
    assert differing(look(run)) == ["junit.xml"]


def test_a_page_by_a_changed_rubric_matches_where_that_rubric_is(
    run: Path, look: Any, tmp_path: Path
) -> None:
    for part in ("exercises", "hidden_tests", "requirements"):
        left_out = shutil.ignore_patterns("solutions", ".grader-seed")
        shutil.copytree(ROOT / part, tmp_path / "root" / part, ignore=left_out)
    rubric = tmp_path / "root/hidden_tests/imputation/rubric.toml"
    text = rubric.read_text().replace("weight = 0.35", "weight = 0.30")
    rubric.write_text(text.replace("weight = 0.15", "weight = 0.20", 1))
    assert cli.main(["report", str(run), "--root", str(tmp_path / "root")]) == 0
    assert differing(look(run, tmp_path / "root")) == []
    assert differing(look(run)) == ["report.html"]


def test_a_page_made_from_a_changed_report_differs(run: Path, look: Any) -> None:
    report = json.loads((run / "report.json").read_text())
    report["score"]["overall"] = 4.0
    (run / "report.json").write_text(json.dumps(report))
    assert cli.main(["report", str(run), "--root", str(ROOT)]) == 0
    assert differing(look(run)) == ["report.json", "report.html", "score"]


def test_what_nobody_bound_and_what_was_removed_are_noted(run: Path, look: Any) -> None:
    (run / "more.exe").write_text("x")
    (run / "folder").mkdir()
    (run / "feedback.md").unlink()
    checks = look(run)
    assert differing(checks) == []
    assert checks["more.exe"].state == "note"
    assert checks["folder"].state == "note"
    assert checks["'feedback.md'"].text == "was removed after the run"


def test_a_binding_without_pages_is_judged_by_what_its_report_gives(
    run: Path, tmp_path: Path
) -> None:
    body = json.loads((run / BINDING).read_text())
    del body["pages"]
    (run / SIGNATURE).unlink()
    (run / BINDING).write_text(json.dumps(body))
    states = {c.name: c.state for c in audit(run, root=tmp_path)}
    assert states["scorecard.txt"] == "ok"
    assert states["notebook.html"] == "note"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "name", ["report.json", "transcript.gz", "submission.zip", "report.html", SIGNATURE]
)
def test_a_pipe_in_place_of_a_file_differs_and_blocks_nothing(
    run: Path, look: Any, name: str
) -> None:
    (run / name).unlink()
    os.mkfifo(run / name)
    assert ("signature" if name == SIGNATURE else name) in differing(look(run))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.write_text("[" * 100_000)])
def test_what_is_no_binding_is_a_usage_error(run: Path, look: Any, make: Any) -> None:
    (run / BINDING).unlink()
    make(run / BINDING)
    with pytest.raises(UsageError, match="holds no bound result"):
        look(run)


@pytest.mark.parametrize("text", ["[" * 100_000, "{}", "\xff"])
def test_what_is_no_signature_differs(run: Path, look: Any, text: str) -> None:
    (run / SIGNATURE).write_text(text, "latin-1")
    assert differing(look(run)) == ["signature"]


@pytest.mark.parametrize("head", ['{"schema":"transcript/1"}', "[1]", "[" * 100_000])
def test_a_transcript_of_no_run_differs(run: Path, look: Any, head: str) -> None:
    (run / "transcript.gz").write_bytes(gzip.compress(head.encode() + b"\n"))
    assert differing(look(run)) == ["transcript.gz", "report"]


def test_a_damaged_archive_differs(run: Path, look: Any) -> None:
    data = bytearray((run / "submission.zip").read_bytes())
    data[40:50] = b"\xff" * 10
    (run / "submission.zip").write_bytes(bytes(data))
    assert differing(look(run)) == ["submission.zip", "graded files"]


def test_a_seed_that_is_not_the_teams_is_noted(run: Path, tmp_path: Path) -> None:
    checks = {c.name: c.state for c in audit(run, root=tmp_path)}
    assert "seed" not in checks
    (tmp_path / "hidden_tests").mkdir()
    (tmp_path / "hidden_tests/.grader-seed").write_text("f" * 32)
    checks = {c.name: c.state for c in audit(run, root=tmp_path)}
    assert checks["seed"] == "note"
    (tmp_path / "hidden_tests/.grader-seed").write_text(SEED)
    checks = {c.name: c.state for c in audit(run, root=tmp_path)}
    assert checks["seed"] == "ok"
    assert run_seed(SEED, "imputation", "1.0") != SEED


def test_pages_are_bound_by_name(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    bind(run, json.loads((run / "report.json").read_text()), Path("/nonexistent"))
    assert sorted(json.loads((run / BINDING).read_text())["pages"]) == [
        "feedback.html",
        "feedback.md",
        "notebook.html",
        "report.html",
        "scorecard.txt",
    ]
