"""Whether the host's memory stays flat over many submissions graded by one process."""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from grader.sandbox.workbench import Workbench, Worker  # noqa: E402
from tests.sandbox.probe import HONEST, probe  # noqa: E402


def resident() -> int:
    """Resident memory now, in kilobytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Print resident memory every 20 submissions, and the growth after the first 20."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    count = parser.parse_args().count
    bench = Workbench(print)
    seen: list[int] = []
    with Worker(bench, ahead=True) as worker, tempfile.TemporaryDirectory() as folder:
        for number in range(1, count + 1):
            probed = probe(worker, bench, f"{HONEST}\n# {number}\n", Path(folder))
            if probed.failed:
                sys.exit(f"submission {number} failed {probed.failed}")
            if number % 20 == 0:
                seen.append(resident())
                print(f"{number:4} submissions  {seen[-1] / 1024:7.1f} MB", flush=True)
    print(f"growth from {20} to {count}: {(seen[-1] - seen[0]) / 1024:.1f} MB")


if __name__ == "__main__":
    main()
