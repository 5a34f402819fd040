"""A result is bound to everything that it depends on, and an audit says what does not match."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from grader.errors import UsageError
from grader.proof.audit import BINDING, SIGNATURE, audit
from grader.record.signing import VARIABLE, make_key, read_public_key
from tests.sandbox.probe import HONEST, PROJECT, probe

if TYPE_CHECKING:
    from pathlib import Path

    from grader.sandbox.workbench import Workbench, Worker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def signed(
    worker: Worker, bench: Workbench, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Path]:
    """Two signed runs of different submissions, and the public key."""
    folder = tmp_path_factory.mktemp("signed")
    public = make_key(folder / "key.pem")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder / "key.pem"))
        first = probe(worker, bench, HONEST, _made(folder / "a")).folder
        second = probe(worker, bench, HONEST + "\n", _made(folder / "b")).folder
    return first, second, public


def _made(path: Path) -> Path:
    path.mkdir()
    return path


def _differing(folder: Path, public: Path) -> list[str]:
    checks = audit(folder, root=PROJECT, public_key=read_public_key(public))
    return [check.name for check in checks if check.state == "differs"]


def _copy(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "run")


def test_an_untouched_result_matches(signed: tuple[Path, Path, Path]) -> None:
    checks = audit(signed[0], root=PROJECT, public_key=read_public_key(signed[2]))
    # The checkout may have a seed file, from which these runs were not drawn.
    assert {check.state for check in checks if check.name != "seed"} == {"ok"}
    assert len(checks) > 15


def test_an_edited_score_is_found(signed: tuple[Path, Path, Path], tmp_path: Path) -> None:
    folder = _copy(signed[0], tmp_path)
    path = folder / "report.json"
    report = json.loads(path.read_text())
    report["score"]["overall"] = 1.5
    path.write_text(json.dumps(report))
    assert _differing(folder, signed[2]) == ["report.json", "score"]


def test_an_edited_binding_is_found(signed: tuple[Path, Path, Path], tmp_path: Path) -> None:
    folder = _copy(signed[0], tmp_path)
    text = (folder / BINDING).read_text()
    (folder / BINDING).write_text(text.replace('"band": "', '"band": "x'))
    assert _differing(folder, signed[2]) == ["signature", "band"]


def test_the_result_of_another_submission_is_found(
    signed: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    folder = _copy(signed[0], tmp_path)
    for name in (BINDING, SIGNATURE):
        shutil.copy(signed[1] / name, folder / name)
    found = _differing(folder, signed[2])
    assert {"submission", "run", "report.json", "submission.zip", "transcript"} <= set(found)
    assert "signature" not in found


def test_a_swapped_transcript_is_found(signed: tuple[Path, Path, Path], tmp_path: Path) -> None:
    folder = _copy(signed[0], tmp_path)
    shutil.copy(signed[1] / "transcript.gz", folder / "transcript.gz")
    assert _differing(folder, signed[2]) == ["transcript.gz", "transcript"]


def test_a_missing_signature_and_another_key_are_found(
    signed: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    folder = _copy(signed[0], tmp_path)
    other = make_key(tmp_path / "other.pem")
    assert _differing(folder, other) == ["signature"]
    (folder / SIGNATURE).unlink()
    assert _differing(folder, signed[2]) == ["signature"]


def test_a_folder_without_a_result_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no bound result"):
        audit(tmp_path, root=PROJECT)


def test_the_command_replays_and_says_what_differs(
    signed: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    def command(folder: Path) -> tuple[int, str]:
        run = subprocess.run(
            [
                sys.executable, "-m", "grader", "audit", str(folder), "--replay",
                "--root", str(PROJECT), "--public-key", str(signed[2]),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return run.returncode, run.stdout

    code, told = command(signed[0])
    assert (code, "replay: " in told) == (0, True)
    folder = _copy(signed[0], tmp_path)
    (folder / "submission.zip").write_bytes(b"PK")
    code, told = command(folder)
    assert code == 1
    assert "differs submission.zip: was changed after the run" in told
