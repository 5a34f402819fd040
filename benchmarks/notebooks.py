"""What a notebook costs beside the same code as a module: ``grade`` on both, in turns, in one run.

The notebooks are conversions of labelled solutions, so both forms hold the same code. Prints
medians of wall and CPU time and the difference; asserts nothing.

    python benchmarks/notebooks.py [--rounds N] [--exercise ID]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.notebook.convert import notebook_of

ROOT = Path(__file__).resolve().parent.parent
GRADE = Path(sys.executable).parent / "grade"
CASES = ("reference", "strong", "correct_verbose_junior")
SEED = "5eed" * 8


def timed(path: Path, exercise: str, out: str) -> tuple[float, float]:
    """Wall seconds of one command; CPU seconds of its process, the judge and the candidate."""
    command = [str(GRADE), "--json", "--exercise", exercise, "--seed", SEED, "--out", out]
    before, clock = os.times(), time.perf_counter()
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - clock, os.times()
    if done.returncode:
        sys.exit(f"{path} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    spent = json.loads(done.stdout)["volatile"]["timings"]
    cpu = after.children_user + after.children_system + spent["judge_cpu"] + spent["candidate_cpu"]
    return wall, cpu - before.children_user - before.children_system


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--exercise", default="imputation")
    options = parser.parse_args()
    walls: dict[str, list[float]] = {"module": [], "notebook": []}
    spent_cpu: dict[str, list[float]] = {"module": [], "notebook": []}
    extra: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        forms = []
        for case in CASES:
            source = ROOT / "hidden_tests" / options.exercise / "solutions" / case / "solution.py"
            module = Path(folder) / case / "solution.py"
            notebook = module.with_suffix(".ipynb")
            module.parent.mkdir()
            module.write_bytes(source.read_bytes())
            notebook.write_bytes(notebook_of(source.read_text(encoding="utf-8"), case))
            forms.append((module, notebook))
        subprocess.run([str(GRADE), "images"], check=True, stdout=subprocess.DEVNULL)
        for number in range(options.rounds):
            for pair in forms:
                found = {}
                # each form goes first as often as the other
                for path in pair if number % 2 else reversed(pair):
                    kind = "notebook" if path.suffix == ".ipynb" else "module"
                    wall, cpu = timed(path, options.exercise, f"{folder}/results")
                    walls[kind].append(wall)
                    spent_cpu[kind].append(cpu)
                    found[kind] = wall
                extra.append(found["notebook"] - found["module"])
                print(f"{pair[0].parent.name:<24} {found['module']:6.2f} s as a module, "
                      f"{found['notebook']:6.2f} s as a notebook", flush=True)  # fmt: skip
    for kind, values in walls.items():
        cpu = statistics.median(spent_cpu[kind])
        print(f"{kind:<9} median {statistics.median(values):.2f} s, of CPU {cpu:.2f} s")
    print(f"a notebook costs {statistics.median(extra):+.2f} s (median of {len(extra)} pairs)")


if __name__ == "__main__":
    main()
