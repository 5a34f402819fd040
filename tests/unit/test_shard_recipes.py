"""What runs shards elsewhere: make, SLURM, the action, Kubernetes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from actions import ROOT, Job

WORKFLOWS = ROOT / "docs" / "workflows"
SEED = "0" * 31 + "1"

# Notes how it was called; ends with the codes of $HOME/codes, one a call, and then with 0.
STAND_IN = """\
#!/bin/sh
echo "$*" >>"$HOME/calls"
code=$(head -n 1 "$HOME/codes")
sed -i 1d "$HOME/codes"
exit "${code:-0}"
"""


def program(folder: Path, name: str, text: str = STAND_IN) -> None:
    place = folder / "bin" / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(text)
    place.chmod(0o755)


def run(folder: Path, *command: str, codes: str = "", **variables: str) -> int:
    (folder / "codes").write_text(codes)
    environment = {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder),
        **variables,
    }  # fmt: skip
    return subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True
    ).returncode


def calls(folder: Path) -> list[str]:
    path = folder / "calls"
    return path.read_text().splitlines() if path.is_file() else []


def make(folder: Path, codes: str) -> int:
    program(folder, "grade")
    command = ("make", "-k", "-f", str(WORKFLOWS / "shards.mk"), "FOLDER=in", "N=2")
    return run(folder, *command, "OPTIONS=--take first", codes=codes)


def array_task(folder: Path, code: int, **variables: str) -> int:
    program(folder, "grade")
    program(folder, "scontrol", '#!/bin/sh\necho "scontrol $*" >>"$HOME/calls"\n')
    script = str(WORKFLOWS / "shards.sbatch")
    given = {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2", **variables}
    return run(folder, "bash", script, "8", "in", "--take", "first", codes=f"{code}\n", **given)


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@needs_make
def test_make_runs_every_shard_and_merges_them(tmp_path: Path) -> None:
    assert make(tmp_path, "") == 0
    assert calls(tmp_path) == [
        "collect in --take first --shard 1/2 --out parts/1",
        "collect in --take first --shard 2/2 --out parts/2",
        "collect --merge parts/1 parts/2 --out collected",
    ]


@needs_make
def test_make_tries_a_platform_fault_again(tmp_path: Path) -> None:
    assert make(tmp_path, "3\n3\n0\n") == 0
    assert [call.split()[5] for call in calls(tmp_path)[:4]] == ["1/2", "1/2", "1/2", "2/2"]


@needs_make
def test_make_gives_up_after_three_tries_and_merges_nothing(tmp_path: Path) -> None:
    assert make(tmp_path, "3\n3\n3\n") == 2
    assert [call.split()[5] for call in calls(tmp_path)] == ["1/2", "1/2", "1/2", "2/2"]


@needs_make
def test_make_does_not_try_wrong_usage_again(tmp_path: Path) -> None:
    assert make(tmp_path, "2\n") == 2
    assert [call.split()[5] for call in calls(tmp_path)] == ["1/2", "2/2"]


def test_an_array_task_is_one_shard(tmp_path: Path) -> None:
    assert array_task(tmp_path, 0) == 0
    assert calls(tmp_path) == ["collect in --take first --shard 2/8 --out parts/2"]


def test_an_array_task_is_queued_again_after_a_platform_fault(tmp_path: Path) -> None:
    assert array_task(tmp_path, 3) == 3
    assert calls(tmp_path)[1:] == ["scontrol requeue 7_2"]


@pytest.mark.parametrize(("code", "restarts"), [(3, "3"), (2, "0")])
def test_an_array_task_is_not_queued_for_ever(tmp_path: Path, code: int, restarts: str) -> None:
    assert array_task(tmp_path, code, SLURM_RESTART_COUNT=restarts) == code
    assert len(calls(tmp_path)) == 1


def collecting(folder: Path, **inputs: str) -> Job:
    (folder / "in" / "bob").mkdir(parents=True)
    (folder / "in" / "bob" / "notes.txt").write_text("no code")
    given = {"submissions": str(folder / "in"), "exercise": "imputation", "root": str(ROOT)}
    return Job(folder, {**given, **inputs})


@pytest.mark.slow
def test_the_action_grades_a_shard_of_a_folder(tmp_path: Path) -> None:
    job = collecting(tmp_path, shard="1/2", seed=SEED)
    assert job.run("Collect") == 0, job.log
    assert (Path(job.outputs["collect"]["results"]) / "shard.json").is_file()


@pytest.mark.slow
def test_the_action_grades_a_whole_folder(tmp_path: Path) -> None:
    job = collecting(tmp_path, seed=SEED)
    assert job.run("Collect") == 0, job.log
    assert (Path(job.outputs["collect"]["results"]) / "collected.csv").is_file()


def test_the_action_wants_the_teams_seed_for_a_shard(tmp_path: Path) -> None:
    job = collecting(tmp_path, shard="1/2")
    assert job.run("Collect") == 3
    assert "a shard needs the team's seed" in job.log


@pytest.mark.slow
def test_the_action_hands_on_wrong_usage(tmp_path: Path) -> None:
    job = collecting(tmp_path, shard="3/2", seed=SEED)
    assert job.run("Collect") == 2


def test_a_folder_needs_no_repository() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    conditions = {step["name"]: step.get("if", "") for step in action["runs"]["steps"]}
    assert conditions == {
        "Install": "",
        "Fetch": "inputs.submissions == ''",
        "Grade": "inputs.submissions == ''",
        "Publish": "inputs.publish != 'none' && inputs.submissions == ''",
        "Collect": "inputs.submissions != ''",
    }


def test_the_matrix_has_as_many_shards_as_it_says() -> None:
    workflow = yaml.safe_load((WORKFLOWS / "grade-shards.yml").read_text())
    job = workflow["jobs"]["grade"]
    shards = job["strategy"]["matrix"]["shard"]
    assert shards == list(range(1, len(shards) + 1))
    (step,) = (step for step in job["steps"] if step.get("uses") == "./grader")
    assert step["with"]["shard"] == f"${{{{ matrix.shard }}}}/{len(shards)}"


def indexed_job() -> dict[str, Any]:
    documents = yaml.safe_load_all((WORKFLOWS / "shards.yaml").read_text())
    (job,) = (document["spec"] for document in documents if document["kind"] == "Job")
    return dict(job)


def test_the_indexed_job_has_as_many_shards_as_it_says() -> None:
    job = indexed_job()
    (container,) = job["template"]["spec"]["containers"]
    values = {item["name"]: item.get("value") for item in container["env"]}
    assert values["SHARDS"] == str(job["completions"])
    assert job["completionMode"] == "Indexed"


def test_the_indexed_job_counts_evictions_for_nothing_and_wrong_usage_once() -> None:
    job = indexed_job()
    assert job["backoffLimitPerIndex"] == 3
    actions = [
        (rule["action"], rule.get("onExitCodes", {}).get("values"))
        for rule in job["podFailurePolicy"]["rules"]
    ]
    assert actions == [("Ignore", None), ("FailIndex", [2]), ("Count", [0, 2])]
