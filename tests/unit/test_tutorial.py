"""The tutorial of docs/author.md, followed to the letter from an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(
    r"(?:`((?:exercises|hidden_tests)/[^`\n]+)`:\n\n)?```(\w+)\n(.*?)\n```", re.DOTALL
)
# Only with Docker: tests/sandbox grades.
SANDBOX = ("grade verify ranking_metrics", "grade --exercise ")
SHIM = '#!/bin/sh\nexec "{python}" -m grader "$@" --root "{root}"\n'


def script() -> str:
    """All of its commands, with its files written where they stand."""
    text = (ROOT / "docs" / "author.md").read_text("utf-8")
    tutorial = text.partition("\n## Tutorial")[2].partition("\n## exercise.toml")[0]
    parts = ["set -eu"]
    for path, language, block in BLOCK.findall(tutorial):
        if path:
            parts.append(f"cat > {path} <<'END OF FILE'\n{block}\nEND OF FILE")
        elif language == "sh":
            parts.append(
                "\n".join(
                    line
                    for line in block.splitlines()
                    if line != SANDBOX[0] and not line.startswith(SANDBOX[1])
                )
            )
    # The exercise that it begins with is test_new.py's matter.
    return "\n".join(parts).replace("\ngrade verify ranking_metrics --mutants", "", 1)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    root = tmp_path_factory.mktemp("team")
    shutil.copytree(ROOT / "requirements", root / "requirements")
    tools = tmp_path_factory.mktemp("bin")
    (tools / "grade").write_text(SHIM.format(python=sys.executable, root=root))
    (tools / "grade").chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", script()],
        cwd=root,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return root, done.stdout


def test_the_exercise_passes_verify_with_mutants(followed: tuple[Path, str]) -> None:
    assert followed[1].splitlines()[-1] == "ranking_metrics 1.0 passes (lint and mutants)"


def test_nothing_of_the_example_is_left(followed: tuple[Path, str]) -> None:
    folders = [followed[0] / top / "ranking_metrics" for top in ("exercises", "hidden_tests")]
    left = {
        path.relative_to(followed[0]).as_posix(): word
        for folder in folders
        for path in folder.rglob("*")
        for word in ("CHANGE", "balanced")
        if path.is_file() and word.encode() in path.read_bytes()
    }
    assert left == {}


def test_each_defect_costs_its_criterion(followed: tuple[Path, str]) -> None:
    labels = (followed[0] / "hidden_tests/ranking_metrics/solutions").glob("wrong_*/expected.toml")
    failing = {
        label.parent.name: re.findall(r"failing = (.*)", label.read_text()) for label in labels
    }
    assert failing == {
        "wrong_place": ['["core"]'],
        "wrong_best_of_all": ['["core"]'],
        "wrong_skips_unjudged": ['["choice"]'],
        "wrong_zero": ['["edge"]'],
    }
