"""The same ten tests and the same twelve submissions, by three graders in one run.

    .venv/bin/python benchmarks/peers.py [--rounds N]

otter-grader and nbgrader each get an environment of their own below ``build/peers``, made here from
pinned packages (``benchmarks/peers/*.txt``). Otter runs without its containers, so many submissions
at a time; nbgrader grades one after the other, as it does; ``grade`` runs with its sandbox both
ways. The numbers of passed tests must agree, or nothing is printed. Costs are medians of wall
seconds and core-seconds a submission, taken as in ``overhead.py``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from overhead import BIN, SEED, Costs, busy, timed
from ten_tests import CHECKS, HELPERS, ROOT, sources, ten_tests

if TYPE_CHECKING:
    from overhead import Suite

HERE = Path(__file__).resolve().parent
_OTTER_HEAD = f"""from otter.test_files import test_case

OK_FORMAT = False
name = "ten"
points = {len(CHECKS)}
"""


def environment(name: str) -> Path:
    """The folder of programs of one peer, installed once for each content of its pins."""
    pins = HERE / "peers" / f"{name}.txt"
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    final = ROOT / "build/peers" / f"{name}-{digest}"
    if not final.is_dir():
        print(f"· installing {name} from {pins.relative_to(ROOT)}", file=sys.stderr)
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            run([sys.executable, "-m", "venv", str(final)])
            pip = [str(final / "bin/pip"), "install", "--quiet", "--require-hashes", "-r"]
            run([*pip, str(pins)])
        except BaseException:
            shutil.rmtree(final, ignore_errors=True)
            raise
    return final / "bin"


def run(command: list[str], folder: Path | None = None, **more: str) -> None:
    """A command that must succeed."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **more}
    )
    if done.returncode:
        sys.exit(f"{command} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}")


def notebook(path: Path, cells: list[nbformat.NotebookNode]) -> None:
    """Write a notebook with a kernel named."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


class Otter:
    """``otter run`` on each submission, so many at a time."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._program, self._folder = str(programs / "otter"), folder
        tests = folder / "tests"
        tests.mkdir(parents=True)
        cases = "".join(
            f"\n\n@test_case(points=1)\ndef test_{name}(env):\n    impute = env['impute']\n"
            + "".join(f"    {line.strip()}\n" for line in check.split(";"))
            for name, check in CHECKS.items()
        )
        (tests / "ten.py").write_text(_OTTER_HEAD + HELPERS + cases)
        run([self._program, "generate", "-t", str(tests), "-o", "autograder.zip"], folder)
        for name, source in sources().items():
            notebook(folder / f"{name}.ipynb", [new_code_cell(source)])

    def grade(self, jobs: int) -> dict[str, int]:
        """Passed tests by submission."""

        def one(name: str) -> int:
            out = self._folder / "out" / name
            out.mkdir(parents=True, exist_ok=True)
            command = [self._program, "run", "-a", "autograder.zip", "--no-logo", "-o", str(out)]
            run([*command, f"{name}.ipynb"], self._folder)
            told = json.loads((out / "results.json").read_text())
            return round(sum(item.get("score", 0.0) for item in told["tests"]))

        with ThreadPoolExecutor(jobs) as pool:
            return dict(zip(sources(), pool.map(one, sources()), strict=True))


class Nbgrader:
    """``nbgrader autograde`` on all of them, one after the other."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._programs, self._folder = programs, folder
        folder.mkdir()
        (folder / "nbgrader_config.py").write_text(
            "c = get_config()\nc.CourseDirectory.course_id = 'ten'\n"
            f"c.CourseDirectory.root = {str(folder)!r}\n"
        )
        solution = self._cell("solution", "def impute(df):\n    raise NotImplementedError", 0)
        cells = [solution, new_code_cell(HELPERS)]
        for name, check in CHECKS.items():
            body = "\n".join(line.strip() for line in check.split(";"))
            cells.append(self._cell(name, body, 1))
        notebook(folder / "source/ten/ten.ipynb", cells)
        self._nbgrader("generate_assignment")
        released = nbformat.read(folder / "release/ten/ten.ipynb", as_version=4)
        for name, source in sources().items():
            released.cells[0].source = source
            path = folder / f"submitted/{name}/ten/ten.ipynb"
            path.parent.mkdir(parents=True)
            nbformat.write(released, path)

    def _nbgrader(self, command: str) -> None:
        path = f"{self._programs}:{os.environ['PATH']}"  # it calls programs by name
        run([str(self._programs / "nbgrader"), command, "ten", "--force"], self._folder, PATH=path)

    @staticmethod
    def _cell(name: str, source: str, points: int) -> nbformat.NotebookNode:
        cell = new_code_cell(source)
        cell.metadata["nbgrader"] = {
            "grade": bool(points), "grade_id": name, "locked": bool(points), "points": points,
            "schema_version": 3, "solution": not points, "task": False, "cell_type": "code",
        }  # fmt: skip
        if not points:
            del cell.metadata["nbgrader"]["points"]
        return cell

    def grade(self, jobs: int) -> dict[str, int]:
        """Passed tests by submission."""
        del jobs  # it has no such option
        self._nbgrader("autograde")
        program = textwrap.dedent("""
            import json
            from nbgrader.api import Gradebook
            with Gradebook("sqlite:///gradebook.db") as book:
                rows = book.assignment_submissions("ten")
                print(json.dumps({row.student.id: row.score for row in rows}))
        """)
        told = subprocess.run(
            [str(self._programs / "python"), "-c", program],
            cwd=self._folder, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        return {name: round(score) for name, score in json.loads(told).items()}


class Grade:
    """One ``grade`` command on all of them, in its sandbox."""

    def __init__(self, folder: Path, suite: Suite) -> None:
        self._folder, self._suite = folder, suite

    def grade(self, jobs: int) -> dict[str, int]:
        """Passed tests by submission."""
        out = Path(tempfile.mkdtemp(dir=self._folder))
        command = [str(BIN / "grade"), "--quiet", "--exercise", "ten", "--seed", SEED]
        command += ["--root", str(self._suite.root), "--out", str(out), "--jobs", str(jobs)]
        run([*command, *map(str, self._suite.submissions)])
        found = {}
        for path in out.glob("*/report.json"):
            report = json.loads(path.read_text())
            passed = sum(item["status"] == "passed" for item in report["evidence"])
            found[report["submission"]["name"]] = passed
        return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    jobs = os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="peers-") as place:
        folder = Path(place)
        grade = Grade(folder, ten_tests(folder))
        otter = Otter(folder / "otter", environment("otter"))
        nbgrader = Nbgrader(folder / "nbgrader", environment("nbgrader"))
        variants = {
            f"grade --jobs {jobs}": (grade, jobs),
            f"otter-grader, {jobs} at a time": (otter, jobs),
            "grade --jobs 1": (grade, 1),
            "nbgrader": (nbgrader, 1),
        }
        scores = {name: grader.grade(count) for name, (grader, count) in variants.items()}
        first = next(iter(scores.values()))
        for name, found in scores.items():
            if found != first:
                sys.exit(f"{name} disagrees: {found}, not {first}")
        print(f"{len(first)} submissions, passed tests agree: {sorted(first.values())}")
        load, costs = busy(), {name: Costs() for name in variants}
        subprocess.run(["sleep", "2"], check=True)
        print(f"before the first round the cores were busy for {busy() - load:.2f} s of 2 s")
        for number in range(options.rounds):
            for name, (grader, count) in variants.items():
                wall, cores = timed(lambda g=grader, n=count: g.grade(n))
                costs[name].add(wall, cores, len(first))
                print(f"round {number + 1}  {name:32}{costs[name].wall[-1]:7.2f} s", flush=True)
    print(f"\n{len(first)} submissions, {options.rounds} rounds; medians a submission")
    for name, cost in costs.items():
        wall, cores = statistics.median(cost.wall), statistics.median(cost.cores)
        print(f"{name:32}{wall:7.2f} s wall{cores:7.2f} core-s")


if __name__ == "__main__":
    main()
