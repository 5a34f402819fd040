"""An exercise with packages of its own, locked, built and graded with."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader import pipeline
from grader.authoring.lock import input_of, lock
from grader.exercise.contract import load_exercise
from grader.record.binding import BINDING
from grader.sandbox import prune as prune_module
from grader.sandbox.images import find_images

if TYPE_CHECKING:
    from grader.sandbox.images import Images
    from grader.sandbox.workbench import Workbench, Worker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "hidden_tests/imputation/solutions/reference/solution.py"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which `imputation` offers one small package more."""
    root = tmp_path_factory.mktemp("checkout")
    for part in ("exercises", "hidden_tests/imputation", "requirements"):
        skipped = shutil.ignore_patterns("__pycache__", "solutions")
        shutil.copytree(ROOT / part, root / part, ignore=skipped)
    for other in ("inference_pipeline", "leakage_debug", "predict_service", "drift_monitor"):
        shutil.rmtree(root / "exercises" / other, ignore_errors=True)
    folder = root / "exercises/imputation"
    with (folder / "exercise.toml").open("a") as file:
        file.write('\n[environment]\nrequirements = "requirements.in"\n')
    (folder / "requirements.in").write_text("more-itertools>=10\n")
    exercise = load_exercise("imputation", root=root)
    lock(exercise, input_of(exercise), print)
    return root


@pytest.fixture(scope="module")
def own(bench: Workbench, root: Path) -> Images:
    return bench.images_for(load_exercise("imputation", root=root))


def submission(folder: Path) -> Path:
    folder.mkdir()
    source = REFERENCE.read_text().replace(
        "import pandas as pd\n", "import more_itertools  # noqa: F401\nimport pandas as pd\n", 1
    )
    (folder / "solution.py").write_text(source)
    return folder


def graded(worker: Worker, bench: Workbench, folder: Path, root: Path) -> dict[str, Any]:
    grading = pipeline.prepare(submission(folder), root=root, exercise="imputation", seed="0" * 32)
    run = pipeline.run(worker, bench, grading, out=folder.parent / "results")
    report: dict[str, Any] = json.loads((run.folder / "report.json").read_text())
    bound = json.loads((run.folder / BINDING).read_text())
    assert bound["environment"] == report["run"]["environment"]["digest"]
    return report


def test_its_packages_are_there_for_its_submissions(
    bench: Workbench, worker: Worker, root: Path, own: Images, tmp_path: Path
) -> None:
    report = graded(worker, bench, tmp_path / "ann", root)
    assert [e["id"] for e in report["evidence"] if e["status"] != "passed"] == []
    environment = report["run"]["environment"]
    assert environment["python"] == "3.13"
    assert list(environment["packages"]) == ["more-itertools"]
    assert report["run"]["candidate_image"] == own.candidate


def test_another_exercise_lacks_them_and_says_what_there_is(
    bench: Workbench, worker: Worker, tmp_path: Path
) -> None:
    report = graded(worker, bench, tmp_path / "ann", ROOT)
    failed = [item for item in report["evidence"] if item["cause"] == "load-error"]
    assert "more_itertools" in failed[0]["message"]
    assert "scikit-learn" in failed[0]["message"]


def test_only_the_candidates_image_is_another_one(
    bench: Workbench, images: Images, own: Images
) -> None:
    assert own.candidate != images.candidate
    assert (own.judge, own.analyst) == (images.judge, images.analyst)
    exercise = load_exercise("imputation", root=ROOT)
    assert find_images(bench.engine, exercise.environment) == images


def test_it_is_one_layer_on_the_base_trees_and_none_of_the_judges(
    bench: Workbench, images: Images, own: Images
) -> None:
    candidate, judge, with_own = (
        bench.engine.api.inspect_image(image)["RootFS"]["Layers"]
        for image in (images.candidate, images.judge, own.candidate)
    )
    assert with_own[:-1] == candidate
    assert not {*with_own} & {*judge}


def test_pruning_removes_what_nothing_needs(
    bench: Workbench, own: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What other builds on this machine left of their stages is theirs.
    monkeypatch.setitem(prune_module._STAGES, "label", "takehome-grader.stage=none")
    archive = tmp_path / "image.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(REFERENCE, "solution.py")
    stale = "takehome-grader/environment:stale"
    subprocess.run(["docker", "import", str(archive), stale], check=True, capture_output=True)
    spared = {str(image["Id"]) for image in bench.engine.api.images()}
    spared -= {bench.engine.image_id(stale)}
    assert prune_module.prune(bench.engine, spared).count == 1
    assert bench.engine.image_id(stale) is None
    assert bench.engine.image_id(own.candidate) == own.candidate
