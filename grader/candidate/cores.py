"""How many processor cores a submission is told of: its container's share, not the machine's.

Pools start a process a core, and the container has a limit on processes.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["count_own_cores", "share_of"]

_GROUPS = Path("/sys/fs/cgroup")
_UNKNOWN = 4  # at most, where no group tells


def count_own_cores() -> None:
    """Let ``os.cpu_count()`` tell the share of this container."""
    cores = min(share_of(_GROUPS) or _UNKNOWN, os.cpu_count() or 1)
    os.cpu_count = lambda: cores


def share_of(groups: Path) -> int | None:
    """Whole cores that a control group allows, rounded up; None where nothing says."""
    for read in (_second, _first):
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
            quota, period = read(groups)
            if quota > 0:
                return max(-(-quota // period), 1)
    return None


def _second(groups: Path) -> tuple[int, int]:
    quota, period = (groups / "cpu.max").read_text(encoding="ascii").split()
    return int(quota), int(period)


def _first(groups: Path) -> tuple[int, int]:
    cpu = groups / "cpu"
    quota = (cpu / "cpu.cfs_quota_us").read_text(encoding="ascii")
    return int(quota), int((cpu / "cpu.cfs_period_us").read_text(encoding="ascii"))
