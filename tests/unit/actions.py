"""Runs the steps of a composite action as a runner does: same shell, own environment, files."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
_EXPRESSION = re.compile(r"\$\{\{\s*([a-z_.-]+)\s*\}\}")


@dataclass
class Job:
    """One use of the action.

    Attributes:
        folder: temporary files.
        inputs: what ``with`` gives.
        path: folders in front of PATH.
    """

    folder: Path
    inputs: dict[str, str]
    path: list[Path] = field(default_factory=list)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    log: str = ""

    def __post_init__(self) -> None:
        self.action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
        for name, spec in self.action["inputs"].items():
            self.inputs.setdefault(name, spec.get("default", ""))
        self.summary = self.folder / "summary.md"

    def value(self, text: str) -> str:
        """Expressions of the kinds that the action uses."""

        def one(match: re.Match[str]) -> str:
            parts = match[1].split(".")
            if parts[0] == "inputs":
                return self.inputs[parts[1]]
            if parts[0] == "steps":
                return self.outputs.get(parts[1], {}).get(parts[3], "")
            assert match[1] == "github.action_path"
            return str(ROOT)

        return _EXPRESSION.sub(one, str(text))

    def run(self, *names: str) -> int:
        """Run the steps of these names, until one fails."""
        for step in self.action["runs"]["steps"]:
            if step["name"] in names and (code := self._step(step)):
                return code
        return 0

    def _step(self, step: dict[str, Any]) -> int:
        script = self.folder / "step.sh"
        script.write_text(step["run"])
        output = self.folder / "output.txt"
        output.write_text("")
        environment = {
            "PATH": os.pathsep.join([*map(str, self.path), os.environ["PATH"]]),
            "HOME": str(self.folder),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            **{name: self.value(text) for name, text in step.get("env", {}).items()},
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.log += done.stdout + done.stderr
        if "id" in step:
            pairs = (line.split("=", 1) for line in output.read_text().splitlines())
            self.outputs[step["id"]] = dict(pairs)
        return done.returncode


GH = """\
#!/bin/sh
# Stands for `gh`: serves archives from $HOME/repo and keeps what is posted.
printf '%s\\n' "$*" >>"$HOME/gh.log"
case "$2" in
    repos/*/tarball/*) git -C "$HOME/repo" archive --format=tar.gz --prefix=top/ "${2##*/}" ;;
    *) while [ $# -gt 0 ]; do [ "$1" = --input ] && cat "$2" >"$HOME/posted.json"; shift; done ;;
esac
"""


def fake_gh(folder: Path) -> Path:
    """A folder with a `gh` that works on a local repository."""
    place = folder / "bin"
    place.mkdir()
    (place / "gh").write_text(GH)
    (place / "gh").chmod(0o755)
    return place


def repository(folder: Path, files: dict[str, str]) -> str:
    """A candidate's repository with one commit; returns its hash."""
    repo = folder / "repo"
    repo.mkdir()
    for name, text in files.items():
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(text)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], cwd=repo, env=environment, check=True)
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repo, env=environment, check=True, capture_output=True
    )
    return done.stdout.decode().strip()
