"""Kill a cluster's processes while it grades, and compare the table with that of one machine alone.

    python scripts/cluster_faults.py FOLDER --exercise imputation --rounds 20

In each round ``grade collect FOLDER --cluster local:2`` grades the folder while, at random moments,
a worker, a worker's parent, the scheduler or the client is killed with SIGKILL. A killed client is
started again by the same command. Every round has to end in the table of one machine alone.
Needs a container engine. Prints one line a round and ends with 1 if a table differed.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GRADE = [sys.executable, "-m", "grader", "collect"]
LEFT_OUT = {"results"}  # where the run lies
MOST_SECONDS = 900.0


def table(out: Path) -> list[dict[str, str]]:
    """The rows of a collection, without what may differ."""
    with (out / "collected.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if k not in LEFT_OUT} for row in rows]


def processes(parent: int) -> dict[str, list[int]]:
    """Process ids below the client, by kind."""
    found: dict[str, list[int]] = {"scheduler": [], "parent": [], "worker": []}
    children: dict[int, list[int]] = {}
    commands: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            commands[int(entry.name)] = (
                (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            )
        except OSError:
            continue
        children.setdefault(int(stat[1]), []).append(int(entry.name))
    for child in children.get(parent, []):
        if " cluster scheduler" in commands[child]:
            found["scheduler"].append(child)
        if " cluster worker" in commands[child]:
            found["parent"].append(child)
            found["worker"] += [
                pid for pid in children.get(child, []) if "spawn_main" in commands.get(pid, "")
            ]
    return found


def one_round(argv: list[str], chance: random.Random, kills: int, log: Path) -> list[str]:
    """Run the command until it ends by itself, killing at random moments; says what it killed."""
    done: list[str] = []
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < until:
        with log.open("ab") as file:
            client = subprocess.Popen(  # noqa: S603
                argv, stdout=subprocess.DEVNULL, stderr=file, start_new_session=True
            )
        while client.poll() is None and time.monotonic() < until:
            try:
                client.wait(chance.uniform(3.0, 12.0))
                continue
            except subprocess.TimeoutExpired:
                pass
            if len(done) >= kills:
                continue
            kind = chance.choice(["worker", "parent", "scheduler", "client"])
            pids = [client.pid] if kind == "client" else processes(client.pid)[kind]
            if not pids:
                continue
            try:
                os.kill(chance.choice(pids), signal.SIGKILL)
            except ProcessLookupError:
                continue
            done.append(kind)
        if client.poll() is None:
            client.kill()
            client.wait()
            break
        if client.returncode != -signal.SIGKILL:
            return [*done, f"code {client.returncode}"]
    return [*done, "ran out of time"]


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--exercise", required=True)
    parser.add_argument("--root", type=Path, help="the exercise's repository; default: this one")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kills", type=int, default=4, help="at most, in a round")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    base = [*GRADE, str(options.folder), "--exercise", options.exercise]
    base += ["--root", str(options.root)] if options.root else []
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="cluster-faults-") as scratch:
        alone = Path(scratch) / "alone"
        began = time.monotonic()
        subprocess.run(  # noqa: S603
            [*base, "--jobs", "2", "--out", str(alone)], check=True, stdout=subprocess.DEVNULL
        )
        wanted = table(alone)
        print(f"alone: {len(wanted)} rows in {time.monotonic() - began:.0f} s", flush=True)
        for number in range(options.rounds):
            chance = random.Random(f"{options.seed}/{number}")  # noqa: S311 - moments, no secrets
            out, log = Path(scratch) / f"round-{number}", Path(scratch) / f"round-{number}.log"
            began = time.monotonic()
            killed = one_round(
                [*base, "--cluster", "local:2", "--out", str(out)], chance, options.kills, log
            )
            same = (out / "collected.csv").is_file() and table(out) == wanted
            wrong += not same
            took = time.monotonic() - began
            told = "same table" if same else "ANOTHER TABLE"
            print(f"round {number + 1}: {told}, {took:.0f} s; {', '.join(killed)}", flush=True)
            if not same:
                print(log.read_text("utf-8", "replace")[-3000:], flush=True)
            shutil.rmtree(out, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
