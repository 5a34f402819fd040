"""Completion scripts, tried in the shells that are there."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from grader import cli
from grader.commands import COMMANDS
from grader.commands.completion import whole_parser

if TYPE_CHECKING:
    from pathlib import Path

SHELLS = ("bash", "zsh", "fish", "powershell")


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    assert [command.name for command in COMMANDS if command.name not in text] == []


@pytest.mark.parametrize("shell", [s for s in SHELLS[:3] if shutil.which(s)])
def test_the_shell_takes_the_script(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "script"
    path.write_text(script(shell, capsys))
    done = subprocess.run([shell, "-n", str(path)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["col"], {"collect"}),
        (["collect", "--ros"], {"--roster"}),
        (["completion", "f"], {"fish"}),
        (["report", "solu"], {"solution.py"}),
    ],
)
def test_bash_offers_what_fits(
    words: list[str], offered: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "solution.py").touch()
    (tmp_path / "script").write_text(script("bash", capsys))
    line = " ".join(["grade", *words])
    ask = (
        f"source ./script; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _shtab_grade; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == offered


def test_every_command_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert "usage: grade" in whole_parser().format_help()
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            cli.main([command.name, "--help"])
        assert f"usage: grade {command.name}" in capsys.readouterr().out
