"""What grading could leave on a machine: a snapshot of it, and what was added since.

Meant for runs of many submissions, whose first and last snapshot must not differ. Of the host it
sees what a container or this process can leave; what other programs do beside it would show as
well, so a strict comparison wants an idle machine.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from grader.sandbox.engine import OWNER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import docker

__all__ = ["added", "left_behind", "processes", "snapshot"]

_PROC = Path("/proc")
# What the engine starts for a container, beside the container's own processes.
_HELPERS = ("containerd-shim", "runc", "crun", "conmon", "runsc", "docker-proxy", "docker-init")
_IPC = ("shm", "sem", "msg")
_CGROUPS = Path("/sys/fs/cgroup")


def snapshot(api: docker.APIClient) -> dict[str, frozenset[str]]:
    """What is there now, by kind.

    Kinds of the engine: containers of any grading, volumes, networks, images (dangling ones
    too). Kinds of the host, where it is Linux and this process may read them: processes that a
    container left (helpers of the engine, and processes in a container's control group),
    children of this process, mounts, control groups of containers, network interfaces, System V
    IPC objects, loaded kernel modules, files in ``/dev/shm`` and in the folder for temporary
    files.

    Args:
        api: the engine.
    """
    found = {
        "container": {
            item["Id"][:12] for item in api.containers(all=True, filters={"label": OWNER})
        },
        "volume": {item["Name"] for item in api.volumes()["Volumes"] or []},
        "network": {item["Id"][:12] for item in api.networks()},
        "image": {item["Id"] for item in api.images(all=True)},
        "file": {str(path) for path in Path(tempfile.gettempdir()).glob("*")},
        "shared memory": {str(path) for path in Path("/dev/shm").glob("*")},  # noqa: S108 - listed
    }
    if _PROC.joinpath("self/mountinfo").exists():
        found |= {
            "process": set(processes()),
            "mount": {line.split()[4] for line in _lines(_PROC / "self/mountinfo")},
            "control group": set(_control_groups()),
            "interface": {line.split(":")[0].strip() for line in _lines(_PROC / "net/dev")[2:]},
            "kernel module": {line.split()[0] for line in _lines(_PROC / "modules")},
            "ipc object": {
                f"{kind} {line.split()[1]}"
                for kind in _IPC
                for line in _lines(_PROC / "sysvipc" / kind)[1:]
            },
        }
    return {kind: frozenset(names) for kind, names in found.items()}


def added(before: Mapping[str, frozenset[str]], now: Mapping[str, frozenset[str]]) -> list[str]:
    """What is in the second snapshot and not in the first, one line each, sorted."""
    return sorted(
        f"{kind}: {name}"
        for kind, names in now.items()
        for name in names - before.get(kind, frozenset())
    )


def left_behind(
    before: Mapping[str, frozenset[str]], api: docker.APIClient, *, settle: float = 10.0
) -> list[str]:
    """What was added since a snapshot and is still there after some seconds.

    An engine's helper ends a moment after its container was removed.

    Args:
        before: the snapshot.
        api: the engine.
        settle: how many seconds things may take to go.
    """
    end = time.monotonic() + settle
    while (found := added(before, snapshot(api))) and time.monotonic() < end:
        time.sleep(0.5)
    return found


def processes() -> Iterator[str]:
    """Children of this process, and what containers are made of; without asking the engine."""
    mine = str(os.getpid())
    for folder in _PROC.glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            groups = (folder / "cgroup").read_text(encoding="utf-8")
        except OSError:  # it has ended meanwhile
            continue
        name = stat.partition("(")[2].rpartition(")")[0]
        fields = stat.rpartition(")")[2].split()
        parent, started = fields[1], fields[19]
        if parent == mine or name.startswith(_HELPERS) or _of_container(groups):
            yield f"{folder.name} {name} (started at tick {started})"


def _of_container(groups: str) -> bool:
    return any(_is_container(part) for line in groups.splitlines() for part in line.split("/"))


def _is_container(name: str) -> bool:
    """A control group of Docker's (``<id>`` or ``docker-<id>.scope``) or Podman's."""
    name = name.removesuffix(".scope").rpartition("-")[2]
    return len(name) == 64 and set(name) <= set("0123456789abcdef")  # noqa: PLR2004 - an id


def _control_groups() -> Iterator[str]:
    for folder, below, _ in os.walk(_CGROUPS):
        for name in below:
            if _is_container(name):
                yield str(Path(folder, name))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
