"""What this machine's engine offers and lacks, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import GraderError
from grader.sandbox.engine import Engine, runtime_tuple
from grader.sandbox.images import find_images

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.models import Exercise
    from grader.sandbox.facts import EngineFacts
    from grader.sandbox.images import Images

__all__ = ["Finding", "examine", "warnings_of"]

_ENGINE_OLDEST = {"Docker": (20, 10), "Podman": (4, 3)}
# The first runc releases without the container escapes published in November 2025.
_RUNC_SAFE = ((1, 2, 8), (1, 3, 3))


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``grade doctor``: what was looked at, how it stands, and what mends it."""

    name: str
    state: str  # "ok", "warning" or "error"
    text: str
    fix: str = ""


def _runc_is_safe(version: str) -> bool:
    found = runtime_tuple(version)
    return found >= _RUNC_SAFE[1] or (found[:2] == _RUNC_SAFE[0][:2] and found >= _RUNC_SAFE[0])


def _engine_findings(facts: EngineFacts) -> Iterator[Finding]:
    oldest = _ENGINE_OLDEST[facts.product]
    new_enough = runtime_tuple(facts.version) >= oldest
    yield Finding(
        "engine",
        "ok" if new_enough else "error",
        f"{facts.product} {facts.version}, API {facts.api_version}, {facts.architecture}",
        "" if new_enough else f"update to {facts.product} {oldest[0]}.{oldest[1]} or newer",
    )
    if facts.runtime == "runsc":
        yield Finding("runtime", "ok", "runsc (gVisor): candidates meet a kernel of their own")
    elif facts.runtime != "runc":
        version = facts.runtime_version or "of unknown version"
        yield Finding("runtime", "ok", f"{facts.runtime} {version}; known weaknesses not checked")
    elif _runc_is_safe(facts.runtime_version):
        yield Finding("runtime", "ok", f"runc {facts.runtime_version}")
    else:
        yield Finding(
            "runtime",
            "warning",
            f"runc {facts.runtime_version or 'of unknown version'} is older than 1.2.8 / 1.3.3, "
            "which closed three container escapes (distributions may have back-ported that)",
            "update containerd and runc, or install gVisor's runsc, which is used when present",
        )
    yield Finding("cgroups", "ok", f"version {facts.cgroup_version}")
    yield _switch(
        "seccomp",
        facts.seccomp,
        "the grader's own profile is applied",
        "the engine was built without it: every system call is allowed",
        "use a kernel and engine with seccomp",
    )
    yield _switch(
        "AppArmor",
        facts.apparmor,
        "profile docker-default",
        "not active; seccomp, dropped capabilities and the read-only root remain",
        "on Debian and Ubuntu: apt-get install apparmor, boot with apparmor=1",
    )
    yield _switch(
        "user namespaces",
        facts.userns or facts.rootless,
        "container ids are remapped on the host",
        "container user ids are host user ids (61001 and up, which own nothing)",
        'set "userns-remap": "default" in /etc/docker/daemon.json, or use rootless Docker',
    )
    if facts.local:
        yield Finding("measurements", "ok", "time and memory are read from cgroup files")
    else:
        yield Finding(
            "measurements",
            "warning",
            "the engine is remote: times come from the judge's clock and are coarse",
            "grade on the machine that runs the engine",
        )


def _switch(name: str, on: bool, yes: str, no: str, fix: str) -> Finding:
    return Finding(name, "ok", yes) if on else Finding(name, "warning", no, fix)


def warnings_of(facts: EngineFacts) -> tuple[str, ...]:
    """Hardening that this machine does not offer, one sentence each."""
    return tuple(
        f"{finding.name}: {finding.text}"
        for finding in _engine_findings(facts)
        if finding.state != "ok"
    )


def examine(root: Path) -> Iterator[Finding]:
    """Look at everything that grading needs, one finding at a time."""
    try:
        engine = Engine()
    except GraderError as error:
        yield Finding("engine", "error", str(error), "make engine")
        return
    yield from _engine_findings(engine.facts)
    yield from _image_findings(engine, root)
    left = engine.sweep()
    yield Finding(
        "leftovers", "ok", f"{left} containers of dead commands removed" if left else "none"
    )
    if engine.facts.local:
        yield from host_findings()


def _image_findings(engine: Engine, root: Path) -> Iterator[Finding]:
    """Which images each exercise has; where one has them, a trial container."""
    from grader.exercise.contract import list_exercises  # noqa: PLC0415 - only here

    ready = None
    try:
        exercises = list_exercises(root)
    except GraderError as error:
        yield Finding("exercises", "error", str(error), "mend the file that it names")
        return
    for exercise in exercises:
        name, environment = f"images of {exercise.id}", exercise.environment
        images = None if environment.fault else find_images(engine, environment)
        if environment.fault:
            yield Finding(name, "error", environment.fault, f"grade lock {exercise.id}")
        elif images is None:
            yield Finding(name, "warning", "not built yet", "make images")
        else:
            ready = ready or (exercise, images)
            yield Finding(
                name,
                "ok",
                f"Python {environment.python}, candidate {images.candidate[7:19]}, "
                f"judge {images.judge[7:19]}, analyst {images.analyst[7:19]}",
            )
    if ready:
        yield from _trial(engine, *ready)


_SYSCTLS = (
    # name, what it should be at least, what it is for
    ("fs/protected_hardlinks", 1, "hard links to other users' files"),
    ("kernel/dmesg_restrict", 1, "kernel messages are for root only"),
    ("kernel/unprivileged_bpf_disabled", 1, "no BPF programs without privilege"),
)


def host_findings(proc: Path = Path("/proc")) -> Iterator[Finding]:
    """What the kernel of this host allows that a machine which only grades does not need."""
    for name, wanted, purpose in _SYSCTLS:
        path = proc / "sys" / name
        value = path.read_text().strip() if path.exists() else ""
        dotted = name.replace("/", ".")
        good = value.isdigit() and int(value) >= wanted
        yield Finding(
            dotted,
            "ok" if good else "warning",
            f"is {value or 'not known to this kernel'} ({purpose})",
            f"sysctl -w {dotted}={wanted}",
        )
    pattern = proc / "sys/kernel/core_pattern"
    piped = pattern.exists() and pattern.read_text().startswith("|")
    yield Finding(
        "kernel.core_pattern",
        "warning" if piped else "ok",
        "hands crashes to a program that runs as root on the host"
        if piped
        else "writes plain files, and candidates may write none",
        "sysctl -w kernel.core_pattern=core",
    )
    swaps = proc / "swaps"
    swapping = swaps.exists() and len(swaps.read_text().splitlines()) > 1
    yield Finding(
        "swap",
        "warning" if swapping else "ok",
        "is on: containers may not use it, but the host may" if swapping else "is off",
        "swapoff -a on a machine that only grades",
    )


def _trial(engine: Engine, exercise: Exercise, images: Images) -> Iterator[Finding]:
    """Start one container and compare the engine's view with what was asked."""
    from grader.sandbox.boxes import CandidateBox  # noqa: PLC0415 - only for the trial

    try:
        box = CandidateBox(engine, images.candidate, exercise, slot=0)
    except GraderError as error:
        yield Finding("hardening", "error", str(error), "see docs/operator.md")
        return
    try:
        box.wait_ready()
    except GraderError as error:
        yield Finding("hardening", "error", str(error), "see docs/operator.md")
        return
    finally:
        box.remove()
    yield Finding("hardening", "ok", "a trial container came up with every setting as asked")
