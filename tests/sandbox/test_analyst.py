"""The analyst container: its protocol, its walls, and what hostile source does to it."""

from __future__ import annotations

import gzip
import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader import pipeline
from grader.errors import ReplayMismatch
from grader.exercise.contract import load_exercise
from grader.proof.replay import replay
from grader.sandbox.analyst_box import AnalystBox
from grader.wire.frames import Frame, Kind, pack_bundle, unpack_json
from tests.sandbox.probe import submission_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.sandbox.images import Images
    from grader.sandbox.workbench import Workbench, Worker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = (ROOT / "hidden_tests/imputation/solutions/reference/solution.py").read_text()
EXERCISE = load_exercise("imputation", root=ROOT)


@pytest.fixture
def box(bench: Workbench, images: Images) -> Iterator[AnalystBox]:
    item = AnalystBox(bench.engine, images.analyst, slot=7)
    try:
        item.wait_ready()
        yield item
    finally:
        item.remove()


def statuses(frames: list[Frame]) -> set[str]:
    records = [unpack_json(frame.body) for frame in frames[1:]]
    assert len(records) == len(unpack_json(frames[0].body)["tests"])  # type: ignore[arg-type]
    return {str(record["status"]) for record in records}


def test_reference_passes_every_check(box: AnalystBox) -> None:
    assert statuses(box.review(EXERCISE, submission_of(REFERENCE))) == {"passed"}


KILLERS = {
    "unary chain": "x = " + "-" * 100_000 + "1\n",
    "sum chain": "x = " + "1+" * 100_000 + "1\n",
    "brackets": "(" * 100_000 + "\n",
    "one line of 10 MB": "x = '" + "a" * (10 << 20) + "'\n",
    "a tuple of a million": "x = (" + "1," * 1_000_000 + ")\n",
    "many small statements": "x = 1\n" * 80_000,
    "deep blocks": "".join(" " * n + "if x:\n" for n in range(99)),
    "many names": "".join(f"def f{n}(): return f{n + 1}()\n" for n in range(6000)),
    # Below the limits of size, so that the parser and the linter themselves meet them.
    "short unary chain": "x = " + "-" * 15_000 + "1\n",
    "sum over lines": "x = (\n" + "1 +\n" * 30_000 + "1)\n",
    "attributes over lines": "x = (a\n" + ".b\n" * 30_000 + ")\n",
    "calls over lines": "x = (a\n" + "(1)\n" * 20_000 + ")\n",
    "a long elif": "if x == 0:\n    pass\n" + "elif x:\n    pass\n" * 3000,
    "lambdas": "x = (" + "lambda:\\\n" * 15_000 + "1)\n",
    "subscripts": "x = a" + "[0]\\\n" * 15_000 + "\n",
    "no text": "\udcff".encode("utf-8", "surrogatepass").decode("latin-1"),
}


@pytest.mark.parametrize("name", KILLERS)
def test_hostile_source_ends_as_failed_checks(box: AnalystBox, name: str) -> None:
    start = time.monotonic()
    frames = box.review(EXERCISE, submission_of(KILLERS[name] + REFERENCE))
    assert name == "many names" or statuses(frames) == {"failed"}
    assert time.monotonic() - start < 15


def test_configuration_of_the_candidates_has_no_effect(box: AnalystBox) -> None:
    source = "import os, sys, json\n" + REFERENCE
    config = {
        "ruff.toml": b'[lint]\nignore = ["ALL"]\n',
        ".ruff.toml": b'exclude = ["*"]\n',
        "pyproject.toml": b'[tool.ruff]\nexclude = ["*"]\n',
        ".gitignore": b"*\n",
        "setup.cfg": b"[flake8]\nignore = ALL\n",
    }
    meta: dict[str, object] = {"entry": "solution.py", "names": ["impute"]}
    files = {"solution.py": source.encode(), **config}
    stream = box.container.stream
    deadline = time.monotonic() + 60
    stream.send(Frame(Kind.SUBMISSION, 1, pack_bundle(meta, files)).pack(), deadline=deadline)
    first = unpack_json(stream.read_frame(deadline=deadline, limit=1 << 20).body)
    assert (first["id"], first["status"]) == ("static::clarity_lint::names-used", "failed")


def test_container_that_dies_fails_every_check(bench: Workbench, box: AnalystBox) -> None:
    submission = submission_of(REFERENCE)
    box.container.stream.send = lambda *_, **__: bench.engine.api.kill(  # type: ignore[method-assign]
        box.container.id
    )
    frames = box.review(EXERCISE, submission)
    assert statuses(frames) == {"failed"}


def test_walls_are_those_of_the_candidate(bench: Workbench, box: AnalystBox) -> None:
    host = bench.engine.api.inspect_container(box.container.id)["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["Binds"]


def test_image_shares_no_layer_with_the_others(bench: Workbench, images: Images) -> None:
    ids = (images.analyst, images.candidate, images.judge)
    layers = [set(bench.engine.api.inspect_image(i)["RootFS"]["Layers"]) for i in ids]
    assert not layers[0] & (layers[1] | layers[2])


@pytest.fixture(scope="module")
def graded(
    bench: Workbench, worker: Worker, tmp_path_factory: pytest.TempPathFactory
) -> pipeline.Graded:
    folder = tmp_path_factory.mktemp("static")
    (folder / "solution.py").write_text("import os, sys\n" + REFERENCE)
    grading = pipeline.prepare(
        folder / "solution.py", root=ROOT, exercise="imputation", seed="5eed" * 8
    )
    return pipeline.run(worker, bench, grading, out=folder / "results")


def test_static_records_come_after_the_hidden_tests(graded: pipeline.Graded) -> None:
    static = [item.test.id.startswith("static::") for item in graded.report.evidence]
    assert static == sorted(static)
    assert any(static)


def test_replay_has_the_static_records(graded: pipeline.Graded) -> None:
    again = replay(graded.folder, root=ROOT)
    assert [item.status for item in again] == [item.status for item in graded.report.evidence]


def test_changed_static_record_in_the_transcript_is_found(
    graded: pipeline.Graded, tmp_path: Path
) -> None:
    folder = shutil.copytree(graded.folder, tmp_path / "run")
    path = folder / "transcript.gz"
    data = gzip.decompress(path.read_bytes())
    changed = data.replace(b"an unused import", b"no unused import")
    assert changed != data
    path.write_bytes(gzip.compress(changed))
    with pytest.raises(ReplayMismatch, match="names-used"):
        replay(folder, root=ROOT)


def test_changed_static_record_in_the_report_is_found(
    graded: pipeline.Graded, tmp_path: Path
) -> None:
    folder = shutil.copytree(graded.folder, tmp_path / "run")
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    item = next(i for i in report["evidence"] if i["id"].endswith("names-used"))
    item.update(status="passed", cause="none", message="", where="")
    (folder / "report.json").write_text(json.dumps(report))
    with pytest.raises(ReplayMismatch, match="names-used"):
        replay(folder, root=ROOT)
