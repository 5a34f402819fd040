from __future__ import annotations

from importlib import import_module

import pytest

from grader import cli
from grader.commands import COMMANDS, Command, call, overview


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_can_be_called(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(import_module(f"grader.commands.{command.module}").run)
    with pytest.raises(SystemExit) as ended:
        cli.main([command.name, "--help"])
    assert ended.value.code == 0
    assert f"usage: grade {command.name}" in capsys.readouterr().out


def test_overview_names_every_command() -> None:
    lines = overview().splitlines()
    assert [line.split()[1] for line in lines] == [command.name for command in COMMANDS]


def test_what_is_no_command_is_left_to_grading() -> None:
    assert call("submission.zip", []) is None
