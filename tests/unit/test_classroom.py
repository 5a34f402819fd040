"""What leaves through GitHub: the reporter's result, Classroom 50's, annotations, workflows."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from grader import cli
from grader.authoring.legacy import read_legacy
from grader.authoring.sheet_lint import lint_sheet
from grader.authoring.suite_lint import lint_suite
from grader.commands import ci
from grader.errors import UsageError
from grader.exercise.contract import load_exercise
from grader.exercise.sheet import read_sheet
from grader.exercise.suite import load_suite
from grader.models import Level
from grader.record.graded import SUBMISSION, pack_files
from grader.report.ci import check_run, commit_status, fenced, notices
from grader.report.classroom import classroom50_result, place_from, reporter_line, reporter_result
from grader.report.dossier import Dossier
from grader.report.points import MOST, whole_points
from grader.report.report_json import build_report, write_report
from grader.scores import CategoryScore, ScoreCard
from grader.starter import build

sys.path.insert(0, str(Path(__file__).parent))
from actions import ROOT, Job, fake_gh, repository
from sample_dossier import ATTACK, dossier

if TYPE_CHECKING:
    from grader.report.model import Report

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WEIGHTS = ((0.35, 0.15, 0.15, 0.10, 0.25), (0.25, 0.1, 0.1, 0.1, 0.45), (1 / 3, 1 / 3, 1 / 3))

# The contract of classroom50/result/v1 in words of our own; its documentation is the authority.
RESULT_V1: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "schema", "classroom", "assignment", "assignment_type", "owner", "submission", "commit",
        "release", "review", "datetime", "score", "max-score", "tests",
    ],
    "properties": {
        "schema": {"const": "classroom50/result/v1"},
        **{
            name: {"type": "string", "minLength": 1}
            for name in ("classroom", "assignment", "owner", "commit", "release", "review")
        },
        "assignment_type": {"enum": ["individual", "group"]},
        "submission": {"type": "string", "pattern": "^submit/"},
        "datetime": {
            "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$",
        },
        "score": {"type": "integer", "minimum": 0},
        "max-score": {"type": "integer", "minimum": 0},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["test-name", "passed", "score", "max-score"],
                "properties": {
                    "test-name": {"type": "string", "minLength": 1},
                    "passed": {"type": "boolean"},
                    "score": {"type": "integer", "minimum": 0},
                    "max-score": {"type": "integer", "minimum": 0},
                },
            },
        },
    },
}  # fmt: skip
RUNNER = {
    "CLASSROOM": "hiring", "ASSIGNMENT": "imputation", "USERNAME": "ann", "ASSIGNMENT_TYPE": "",
    "SUBMISSION_TAG": "submit/2026-05-01T10-00-00Z-abc1234", "COMMIT_URL": "https://example.com/c",
    "RELEASE_URL": "https://example.com/r", "SUBMITTED_AT": "2026-05-01T10:00:00Z",
}  # fmt: skip


def scored(weights: tuple[float, ...], levels: tuple[int, ...]) -> Report:
    categories = tuple(
        CategoryScore(f"c{n}", f"Category {n}", w, Level(x), True, False, "", (), ())
        for n, (w, x) in enumerate(zip(weights, levels, strict=True))
    )
    overall = sum(w * x for w, x in zip(weights, levels, strict=True))
    base = dossier().report
    card = base.scorecard
    return dataclasses.replace(
        base, scorecard=ScoreCard(categories, round(overall, 6), card.band, card.seniority)
    )


def reported(*encoded: bytes) -> tuple[float, float, list[dict[str, Any]]]:
    """What the reporter does with results, told from its source: decode, add up, in this order."""
    total, most, tests = 0.0, 0.0, []
    for line in encoded:
        results = json.loads(base64.b64decode(line, validate=True).decode("utf-8"))
        if not results["max_score"]:
            continue
        most += results["max_score"]
        for test in results["tests"]:
            total += test["score"]
            tests.append(test)
    return total, most, tests


@pytest.mark.slow
@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_reporter_shows_the_score_without_a_rounding_error(weights: tuple[float, ...]) -> None:
    for levels in itertools.product((1, 2, 3, 4), repeat=len(weights)):
        report = scored(weights, levels)
        line = reporter_line(Dossier(report, ()))
        total, most, tests = reported(line)
        assert (total, most) == (round(report.scorecard.overall, 2), 4)
        points = [part.points / 100 for part in whole_points(report.scorecard)]
        assert [test["score"] for test in tests] == pytest.approx(points)
        assert all(test["line_no"] == 0 and test["filename"] == "" for test in tests)


def test_a_graded_run_never_fails_the_reporters_job() -> None:
    """It fails the job if a runner's status is fail or error; a low level is neither."""
    assert reporter_result(scored(WEIGHTS[0], (1, 1, 1, 1, 1)))["status"] == "pass"


def test_the_result_fits_one_line_of_an_output() -> None:
    line = reporter_line(dossier(ATTACK)).decode()
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*", line)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_whole_points_add_up(weights: tuple[float, ...]) -> None:
    for levels in itertools.product((1, 2, 3, 4), repeat=len(weights)):
        card = scored(weights, levels).scorecard
        parts = whole_points(card)
        assert sum(part.points for part in parts) == round(card.overall * 100)
        assert sum(part.most for part in parts) == MOST
        assert all(0 <= part.points <= part.most for part in parts)


def test_classroom_50_takes_the_result() -> None:
    place = place_from(RUNNER)
    for levels in itertools.product((1, 3, 4), repeat=5):
        result = classroom50_result(scored(WEIGHTS[0], levels), place)
        jsonschema.Draft202012Validator(RESULT_V1).validate(result)
        assert result["score"] <= result["max-score"]
        assert all(test["score"] <= test["max-score"] for test in result["tests"])
        assert all(type(test["score"]) is int for test in result["tests"])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("CLASSROOM", "", "lacks CLASSROOM"), ("SUBMISSION_TAG", "v1", "submit/"),
     ("SUBMITTED_AT", "yesterday", "no time"), ("ASSIGNMENT_TYPE", "pair", "individual or group")],
)  # fmt: skip
def test_a_wrong_environment_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        place_from(RUNNER | {name: value})


def test_no_line_of_a_candidates_text_acts_in_a_log() -> None:
    text = "::error::x\n##[command]y\n::stop-commands::a\n::a::\n" + ATTACK
    lines = fenced(text).splitlines()
    opened = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", lines[0])
    assert opened
    assert lines[-1] == f"::{opened[1]}::"
    assert not [line for line in lines[1:-1] if line.startswith(("::", "##")) or "::error" in line]
    assert fenced(text) != fenced(text)  # another token each time


def test_annotations_tell_levels_only() -> None:
    shown = notices(dossier("expected 42.5").report).splitlines()
    assert 0 < len(shown) <= 10
    assert all(re.fullmatch(r"::(notice|warning) title=[^:]+::[^:]+", line) for line in shown)
    assert "42.5" not in "".join(shown)


def test_payloads_hold_what_a_candidate_may_know() -> None:
    made = dossier("expected 42.5")
    check = json.loads(check_run(made, name="take-home", commit="a" * 40))
    assert (check["conclusion"], check["head_sha"]) == ("neutral", "a" * 40)
    assert len(check["output"]["summary"]) < 65_535
    status = json.loads(commit_status(made, name="take-home"))
    assert set(status) == {"state", "context", "description"}
    assert len(status["description"]) <= 140
    for shown in (check, status):
        assert "42.5" not in json.dumps(shown)
        assert "test_" not in json.dumps(shown)


def run_folder(folder: Path) -> Path:
    made = dossier(ATTACK)
    folder.mkdir()
    write_report(folder / "report.json", build_report(made.report))
    (folder / SUBMISSION).write_bytes(pack_files(made.files))
    return folder


def test_grade_ci_writes_outputs_summary_and_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_folder(tmp_path / "run")
    for name, value in RUNNER.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "out"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    target = tmp_path / "result.json"
    assert ci.run([str(tmp_path / "run"), "--classroom50", str(target)]) == 0
    jsonschema.Draft202012Validator(RESULT_V1).validate(json.loads(target.read_text()))
    outputs = dict(line.split("=", 1) for line in (tmp_path / "out").read_text().splitlines())
    assert set(outputs) == {"score", "band", "result", "digest"}
    assert reported(outputs["result"].encode())[1] == 4
    assert (tmp_path / "summary").read_text().startswith("## Missing values")
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("::stop-commands::")
    acting = [line for line in shown if line.startswith("::")]
    assert len(acting) == 2 + len([line for line in acting if line.startswith("::notice")])


def test_a_rejected_submission_has_payloads_and_no_run(tmp_path: Path) -> None:
    arguments = ["--rejected", "--commit", COMMIT, "--payloads", str(tmp_path / "p")]
    assert ci.run(arguments) == 0
    assert json.loads((tmp_path / "p" / "status.json").read_text())["state"] == "error"
    check = json.loads((tmp_path / "p" / "check-run.json").read_text())
    assert (check["head_sha"], check["conclusion"]) == (COMMIT, "action_required")
    with pytest.raises(UsageError, match="either RUN or"):
        ci.run([str(tmp_path), *arguments])


def test_payloads_need_the_whole_hash(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="full hash"):
        ci.run([str(tmp_path), "--payloads", str(tmp_path), "--commit", "main"])


def check_schema(kind: str, *paths: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{kind}"]
    done = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_every_workflow_conforms_to_the_published_schema(tmp_path: Path) -> None:
    made = build(load_exercise("imputation", root=ROOT))
    candidates = tmp_path / "tests.yml"
    candidates.write_bytes(made.files[".github/workflows/tests.yml"])
    assert WORKFLOWS
    check_schema("github-workflows", candidates, *WORKFLOWS)
    check_schema("github-actions", ROOT / "action.yml")
    for path in sorted((ROOT / "docs" / "workflows").glob("*.yml")):
        check_schema("github-workflows", path)


@pytest.mark.parametrize(
    "path",
    [*WORKFLOWS, ROOT / "action.yml", ROOT / "grader/starter/files/tests.yml",
     *sorted((ROOT / "docs" / "workflows").glob("*.yml"))],
    ids=lambda path: path.name,
)  # fmt: skip
def test_workflows_pin_what_they_use_and_put_no_expression_into_a_script(path: Path) -> None:
    text = path.read_text()
    document = yaml.safe_load(text)
    for used in re.findall(r"^\s*(?:- )?uses:\s*(\S+)", text, re.MULTILINE):
        pinned = re.fullmatch(r"(\./\S+|[\w.-]+/[\w./-]+@([0-9a-f]{40}|COMMIT))", used)
        assert pinned, used
    jobs = document.get("jobs", {}).values()
    steps = [s for job in jobs for s in job.get("steps", [])]
    steps += document.get("runs", {}).get("steps", [])
    for step in steps:
        assert "${{" not in step.get("run", "")
    assert document.get("runs") or "permissions" in document
    assert "pull_request_target" not in text


COMMIT = "1234567890" * 4


def job(folder: Path, **inputs: str) -> Job:
    given = {"repository": "org/hw-ann", "token": "secret", **inputs}
    return Job(folder, given, [fake_gh(folder)])


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_action_fetches_the_commit_it_was_asked_for(tmp_path: Path) -> None:
    commit = repository(tmp_path, {"solution.py": "x = 1\n"})
    made = job(tmp_path, commit=commit)
    assert made.run("Fetch") == 0, made.log
    archive = Path(made.outputs["fetch"]["submission"])
    assert archive.name == f"hw-ann-{commit[:8]}.tar.gz"
    assert (tmp_path / "gh.log").read_text() == f"api repos/org/hw-ann/tarball/{commit}\n"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_action_refuses_another_commit_and_what_is_no_hash(tmp_path: Path) -> None:
    commit = repository(tmp_path, {"solution.py": "x = 1\n"})
    made = job(tmp_path, commit=commit)
    gh = tmp_path / "bin" / "gh"
    gh.write_text(gh.read_text().replace('"${2##*/}"', "HEAD^{tree}"))
    assert made.run("Fetch") == 3
    assert "another commit" in made.log
    for wrong in ("main", commit[:12], f"{commit}\n::error::x", "$(id)"):
        made.inputs["commit"] = wrong
        assert made.run("Fetch") == 3
    made.inputs |= {"commit": commit, "repository": "org/x;id"}
    assert made.run("Fetch") == 3


def test_the_action_publishes_a_status_or_a_check(tmp_path: Path) -> None:
    payloads = tmp_path / "payloads"
    made = dossier("plain")
    payloads.mkdir()
    (payloads / "status.json").write_bytes(commit_status(made, name="n"))
    (payloads / "check-run.json").write_bytes(check_run(made, name="n", commit=COMMIT))
    for kind, place in (("status", f"statuses/{COMMIT}"), ("check", "check-runs")):
        used = job(tmp_path / kind if (tmp_path / kind).mkdir() is None else tmp_path,
                   commit=COMMIT, publish=kind)  # fmt: skip
        used.outputs["grade"] = {"payloads": str(payloads)}
        assert used.run("Publish") == 0, used.log
        posted = (used.folder / "posted.json").read_bytes()
        assert posted in {path.read_bytes() for path in payloads.iterdir()}
        assert f"repos/org/hw-ann/{place}" in (used.folder / "gh.log").read_text()


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
@pytest.mark.parametrize("asked", [True, False], ids=["by hand", "schedule"])
def test_the_organisers_workflow_lists_what_is_to_be_graded(tmp_path: Path, asked: bool) -> None:
    workflow = yaml.safe_load((ROOT / "docs/workflows/grade-candidates.yml").read_text())
    step = next(s for s in workflow["jobs"]["list"]["steps"] if s.get("id") == "list")
    place = tmp_path / "bin"
    place.mkdir()
    (place / "gh").write_text(
        "#!/bin/sh\ncase $2 in\n*/HEAD) echo " + COMMIT + " ;;\n"
        "repos/org/done/*) echo take-home ;;\nesac\n"
    )
    (place / "gh").chmod(0o755)
    (tmp_path / "candidates.txt").write_text("# ours\norg/ann\norg/done\n$(id)\norg/bob\n")
    (tmp_path / "step.sh").write_text(step["run"])
    environment = {
        "PATH": f"{place}{os.pathsep}{os.environ['PATH']}", "GITHUB_OUTPUT": str(tmp_path / "out"),
        "REPOSITORY": "org/cy" if asked else "", "COMMIT": 'x"}]' if asked else "", "GH_TOKEN": "t",
    }  # fmt: skip
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "step.sh"],
        cwd=tmp_path, env=environment, check=True,
    )  # fmt: skip
    name, _, value = (tmp_path / "out").read_text().partition("=")
    expected = [{"repository": "org/cy", "commit": 'x"}]'}] if asked else [
        {"repository": "org/ann", "commit": COMMIT}, {"repository": "org/bob", "commit": COMMIT},
    ]  # fmt: skip
    assert (name, json.loads(value)) == ("submissions", expected)


LEGACY = {
    "tests": [
        {"name": "Adds", "setup": "", "run": "python add.py", "input": "1 2", "output": "3",
         "comparison": "exact", "timeout": 1, "points": 5},
        {"name": 'Says "hi" \\ `x`', "run": "python hi.py", "input": "", "output": "hi",
         "comparison": "included", "points": None},
        {"name": "pattern", "run": "./p", "input": "x", "output": "^\\d+$", "comparison": "regex"},
        {"name": "unit", "setup": "pip install pytest", "run": "pytest", "points": 10},
    ]
}  # fmt: skip
CLASSROOM_YML = """
name: Autograding Tests
'on': [push, repository_dispatch]
jobs:
  run-autograding-tests:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: sums
        id: sums
        uses: classroom-resources/autograding-io-grader@v1
        with: {test-name: sums, command: python a.py, input: '2 2', expected-output: '4',
               comparison-method: exact, timeout: 10, max-score: 3}
      - uses: classroom-resources/autograding-command-grader@v1
        with: {test-name: tests, setup-command: pip install pytest, command: pytest, max-score: 2}
      - uses: classroom-resources/autograding-grading-reporter@v1
        env: {SUMS_RESULTS: "${{steps.sums.outputs.result}}"}
        with: {runners: sums}
"""


def checkout(folder: Path) -> Path:
    (folder / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "sandbox.txt", folder / "requirements")
    return folder


@pytest.mark.slow
def test_legacy_tests_become_an_exercise_that_loads(tmp_path: Path) -> None:
    path = tmp_path / "autograding.json"
    path.write_text(json.dumps(LEGACY))
    root = checkout(tmp_path)
    assert cli.main(["import-classroom", str(path), "week3", "--root", str(root)]) == 0
    exercise = load_exercise("week3", root=root)
    suite = load_suite(exercise.hidden_dir)
    assert "test_imported.py" in suite.files
    assert lint_suite(exercise.hidden_dir) == []
    assert lint_sheet(exercise.hidden_dir, read_sheet(exercise.public_dir / "README.md")) == []
    listed = (exercise.hidden_dir / "IMPORTED.md").read_text()
    assert "pip install pytest pytest | no" in listed
    right = tmp_path / "right"
    right.mkdir()
    (right / "solution.py").write_text(
        "def main(text):\n    return {'1 2': '3', 'x': '77'}.get(text, 'oh hi')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", f"--solution={right}", exercise.hidden_dir]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "4 passed" in done.stdout, done.stdout + done.stderr
    starter = exercise.public_dir / "starter"
    shutil.copy(right / "solution.py", starter)
    sample = [sys.executable, "-m", "pytest", "-q"]
    done = subprocess.run(sample, cwd=starter, capture_output=True, text=True, check=False)
    assert "4 passed" in done.stdout, done.stdout


def test_a_workflow_is_read_like_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "classroom.yml"
    path.write_text(CLASSROOM_YML)
    first, second = read_legacy(path)
    assert (first.kind, first.name, first.input, first.output, first.points) == (
        "io", "sums", "2 2", "4", 3,
    )  # fmt: skip
    assert (second.kind, second.command) == ("command", "pytest")


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", "{"), ("a.json", "[]"), ("a.json", '{"tests": 3}'), ("a.yml", "jobs: 3"),
     ("a.yml", "a: !!python/object/apply:os.system ['true']"), ("a.json", "[" * 100_000)],
)  # fmt: skip
def test_what_holds_no_tests_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=r"cannot be read|holds no test"):
        read_legacy(tmp_path / name)


def test_an_exercise_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "autograding.json"
    path.write_text(json.dumps(LEGACY))
    root = checkout(tmp_path)
    arguments = ["import-classroom", str(path), "week3", "--root", str(root)]
    assert cli.main(arguments) == 0
    assert cli.main(arguments) == 2
    assert cli.main([*arguments[:2], "../up", *arguments[3:]]) == 2
