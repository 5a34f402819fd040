"""A collection graded on a cluster of this machine, with the real sandbox."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.record.graded import SUBMISSION
from grader.report.report_json import read_report, stable_bytes

pytestmark = pytest.mark.docker
HERE = Path(__file__).parent
PROJECT = HERE / "project"
SEED = "0" * 31 + "2"
COUNT = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three submissions that differ."""
    source = (PROJECT / "honest.py").read_text()
    for number in range(COUNT):
        place = tmp_path / "in" / f"c{number}"
        place.mkdir(parents=True)
        (place / "solution.py").write_text(f"{source}\n# {number}\n")
    return tmp_path / "in"


def command(folder: Path, out: Path, *more: str) -> list[str]:
    options = ["--root", str(PROJECT), "--exercise", "probe", "--seed", SEED, "--out", str(out)]
    return [sys.executable, "-m", "grader", "collect", str(folder), *options, *more]


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "collected.csv").open(encoding="utf-8-sig", newline="") as file:
        return [{k: v for k, v in row.items() if k != "results"} for row in csv.DictReader(file)]


def reports(out: Path) -> list[bytes]:
    return [stable_bytes(read_report(path)) for path in sorted(out.glob("runs/*/report.json"))]


def test_a_cluster_ends_in_what_one_machine_alone_writes(folder: Path, tmp_path: Path) -> None:
    alone, cluster = tmp_path / "alone", tmp_path / "cluster"
    subprocess.run(command(folder, alone), check=True, capture_output=True)
    subprocess.run(
        command(folder, cluster, "--cluster", "local:2"), check=True, capture_output=True
    )
    assert rows(cluster) == rows(alone)
    assert reports(cluster) == reports(alone)
    assert len(list(cluster.glob(f"runs/*/{SUBMISSION}"))) == COUNT


def test_a_killed_client_leaves_nothing_running_and_goes_on(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    argv = command(folder, out, "--cluster", "local:1")
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
        until = time.monotonic() + 120
        while not any(out.glob("runs/*/report.json")) and time.monotonic() < until:
            time.sleep(0.1)
        below = _below(client.pid)
        client.send_signal(signal.SIGKILL)
    assert below
    until = time.monotonic() + 60
    while any(_alive(pid) for pid in below) and time.monotonic() < until:
        time.sleep(0.1)
    assert [pid for pid in below if _alive(pid)] == []
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert "of them graded before" in done.stderr
    assert [row["state"] for row in rows(out)] == ["graded"] * COUNT
    assert len(list(out.glob("runs/*/report.json"))) == COUNT


def _below(pid: int) -> list[int]:
    """Children of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
