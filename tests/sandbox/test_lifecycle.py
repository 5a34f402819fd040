"""Whatever happens to the command: containers die in time and nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from grader.sandbox.engine import OWNER
from tests.sandbox.probe import HONEST, PROJECT, SEED
from tests.scripts import load

if TYPE_CHECKING:
    from pathlib import Path

    from grader.sandbox.workbench import Workbench

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

faults = load("faults")


def start(source: str, out: Path) -> subprocess.Popen[bytes]:
    """Run the command on a source text, in a process of its own."""
    path = out / "solution.py"
    path.write_text(source)
    command = [sys.executable, "-m", "grader", str(path), "--root", str(PROJECT)]
    command += ["--out", str(out / "results"), "--seed", SEED, "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def owned_by(bench: Workbench, pid: int, *, running: bool) -> list[dict[str, object]]:
    """Containers that a process made."""
    found = bench.engine.api.containers(all=not running, filters={"label": OWNER})
    return [item for item in found if f"|{pid}|" in item["Labels"][OWNER]]


def wait_for(condition: object, seconds: float) -> bool:
    """Poll until a callable is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


LOOP = HONEST + "\n\ndef double(x):\n    while True:\n        pass\n"


def test_kill_of_the_command_ends_its_containers_and_the_next_one_removes_them(
    bench: Workbench, tmp_path: Path
) -> None:
    command = start(LOOP, tmp_path)
    assert wait_for(lambda: len(owned_by(bench, command.pid, running=True)) == 2, 20)
    time.sleep(0.7)  # in the middle of a call
    command.kill()
    command.wait()
    assert wait_for(lambda: not owned_by(bench, command.pid, running=True), 10)
    assert owned_by(bench, command.pid, running=False)
    bench.engine.sweep()
    assert not owned_by(bench, command.pid, running=False)
    assert not list((tmp_path / "results").glob("[!.]*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_command_removes_its_containers_itself(
    number: signal.Signals, bench: Workbench, tmp_path: Path
) -> None:
    command = start(LOOP, tmp_path)
    assert wait_for(lambda: len(owned_by(bench, command.pid, running=True)) == 2, 20)
    os.kill(command.pid, number)
    assert command.wait(timeout=20) == 130
    assert not owned_by(bench, command.pid, running=False)
    assert not list((tmp_path / "results").iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_while_modules_are_imported_is_as_quiet(
    number: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "grader", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert wait_for(lambda: faults.takes_signals(process), 20)
        os.kill(process.pid, number)
        assert process.stderr is not None
        told = process.stderr.read()
    assert (process.returncode, "Traceback" in told) == (130, False), told
    assert told.startswith("interrupted;")


def test_container_of_a_live_command_is_not_swept(bench: Workbench, tmp_path: Path) -> None:
    command = start(LOOP, tmp_path)
    assert wait_for(lambda: len(owned_by(bench, command.pid, running=True)) == 2, 20)
    bench.engine.sweep()
    assert len(owned_by(bench, command.pid, running=True)) == 2
    command.terminate()
    command.wait(timeout=20)


def test_existing_results_are_kept(bench: Workbench, tmp_path: Path) -> None:
    del bench
    for _ in range(2):
        assert start(HONEST, tmp_path).wait(timeout=60) == 0
    names = sorted(path.name.partition("-")[2] for path in (tmp_path / "results").iterdir())
    assert len(names) == 2
    assert names[1] == names[0] + "-2"
