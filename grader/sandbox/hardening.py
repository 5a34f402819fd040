"""How every container is locked down, and the check that the engine took it as asked.

The specification is written in the engine's own words (the body of ``POST /containers/create``),
so that what is verified after creation is what was asked, field by field.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from grader.errors import SandboxError
from grader.sandbox.podman import adapt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.models import Limits
    from grader.sandbox.facts import EngineFacts

__all__ = ["ContainerSpec", "create_body", "verify"]

CANDIDATE_UID = 61001
JUDGE_UID = 63001
ANALYST_UID = 64001
_SCRATCH_INODES = 4096
_SHARED_BYTES = 8 << 20
_PROFILE = files("grader.sandbox") / "seccomp.json"
# gVisor's own threads count against a container's limit; without them it does not start, or a
# process inside cannot fork.
_GVISOR_TASKS = 192


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What one container is for and what it may use. Sizes are bytes, times seconds."""

    role: str  # "candidate", "judge" or "analyst"
    image: str
    user: int
    memory: int
    cpus: float
    pids: int
    cpu_seconds: int
    scratch: Mapping[str, int]  # mount point → bytes
    file_bytes: int
    oom_score: int
    labels: Mapping[str, str]
    command: tuple[str, ...] = ()  # in place of the role's own

    @classmethod
    def candidate(
        cls,
        image: str,
        limits: Limits,
        *,
        slot: int,
        labels: Mapping[str, str],
        notebook: bool = False,
    ) -> ContainerSpec:
        """The hostile side. ``slot`` gives each container alive at a time its own user id."""
        return cls(
            role="candidate",
            image=image,
            user=CANDIDATE_UID + slot,
            memory=limits.memory,
            cpus=limits.cpus,
            pids=limits.pids,
            cpu_seconds=int(limits.wall_seconds) + 10,
            scratch={
                "/tmp": limits.scratch_bytes,  # noqa: S108 - a private tmpfs
                "/submission": limits.scratch_bytes,
                "/dev/shm": _SHARED_BYTES,  # noqa: S108 - locks and queues of process pools
            },
            file_bytes=limits.scratch_bytes,
            oom_score=500,
            labels=labels,
            command=("-m", _MODULES["candidate"], "--notebook") if notebook else (),
        )

    @classmethod
    def judge(cls, image: str, *, slot: int, labels: Mapping[str, str]) -> ContainerSpec:
        """The trusted side, with the same restrictions, because it decodes hostile bytes."""
        return cls(
            role="judge",
            image=image,
            user=JUDGE_UID + slot,
            memory=3 << 30,
            cpus=1.0,
            pids=64,
            cpu_seconds=24 * 3600,
            scratch={"/tmp": 64 << 20, "/suite": 64 << 20},  # noqa: S108 - a private tmpfs
            file_bytes=64 << 20,
            oom_score=0,
            labels=labels,
        )

    @classmethod
    def analyst(cls, image: str, *, slot: int, labels: Mapping[str, str]) -> ContainerSpec:
        """Reads hostile source; its one child may use less memory than the container has."""
        return cls(
            role="analyst",
            image=image,
            user=ANALYST_UID + slot,
            memory=1 << 30,
            cpus=1.0,
            pids=32,
            cpu_seconds=60,
            scratch={"/tmp": 16 << 20},  # noqa: S108 - a private tmpfs
            file_bytes=16 << 20,
            oom_score=500,
            labels=labels,
        )


def create_body(spec: ContainerSpec, facts: EngineFacts) -> dict[str, object]:
    """The JSON body that creates the container."""
    host: dict[str, object] = {
        "CapDrop": ["ALL"],
        "CapAdd": [],
        "Privileged": False,
        "SecurityOpt": _security_options(facts),
        "ReadonlyRootfs": True,
        "Tmpfs": {path: _tmpfs(size) for path, size in spec.scratch.items()},
        "IpcMode": "none",
        "NetworkMode": "none",
        "CgroupnsMode": "private",
        "PidsLimit": spec.pids + (_GVISOR_TASKS if facts.runtime.startswith("runsc") else 0),
        "Memory": spec.memory,
        "MemorySwap": spec.memory,
        "OomKillDisable": False,
        "OomScoreAdj": spec.oom_score,
        "NanoCpus": round(spec.cpus * 1e9),
        "Ulimits": [
            {"Name": name, "Soft": soft, "Hard": hard}
            for name, soft, hard in (
                ("core", 0, 0),
                ("nofile", 256, 256),
                ("fsize", spec.file_bytes, spec.file_bytes),
                ("cpu", spec.cpu_seconds, spec.cpu_seconds + 1),
                ("msgqueue", 0, 0),
                ("memlock", 0, 0),
            )
        ],
        "LogConfig": {"Type": "none", "Config": {}},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": False,
        "Init": False,
        "Binds": [],
        "Mounts": [],
        "Devices": [],
        "PortBindings": {},
        "ExtraHosts": [],
        "GroupAdd": [],
    }
    if facts.cgroup_version == 1:
        host["MemorySwappiness"] = 0
    if facts.runtime != "runc" and facts.product == "Docker":
        host["Runtime"] = facts.runtime
    body: dict[str, object] = {
        "Image": spec.image,
        "User": f"{spec.user}:{spec.user}",
        "Hostname": "sandbox",
        "WorkingDir": "/",
        "Env": _ENVIRONMENT,
        "Entrypoint": ["/usr/local/bin/sandbox-python", "-s", "-B"],
        "Cmd": list(spec.command) or ["-m", _MODULES[spec.role]],
        "Healthcheck": {"Test": ["NONE"]},
        "Tty": False,
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "NetworkDisabled": True,
        "Labels": dict(spec.labels),
        "HostConfig": host,
    }
    if facts.product == "Podman":
        adapt(body, str(_PROFILE) if facts.seccomp else "")
    return body


_MODULES = {
    "candidate": "grader.candidate.supervisor",
    "judge": "grader.judge.server",
    "analyst": "grader.analyst.server",
}
# The same for all roles, so that nothing in it tells a candidate anything.
_ENVIRONMENT = [
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "HOME=/tmp",
    "TMPDIR=/tmp",
    "LANG=C.UTF-8",
    "TZ=UTC",
    "PYTHONPATH=/opt/site:/opt/sandbox",
    "PYTHONHASHSEED=0",
    "PYTHONSAFEPATH=1",
    "OMP_NUM_THREADS=1",
    "OPENBLAS_NUM_THREADS=1",
    "MPLCONFIGDIR=/tmp",
    "JOBLIB_MULTIPROCESSING=0",
]


def _tmpfs(size: int) -> str:
    return f"rw,noexec,nosuid,nodev,size={size},nr_inodes={_SCRATCH_INODES},mode=1777"


def _security_options(facts: EngineFacts) -> list[str]:
    options = ["no-new-privileges:true"]
    if facts.seccomp:
        profile = json.loads(_PROFILE.read_text())
        options.append("seccomp=" + json.dumps(profile, separators=(",", ":")))
    if facts.apparmor:
        options.append("apparmor=docker-default")
    return options


def verify(attrs: Mapping[str, object], body: Mapping[str, object]) -> None:
    """Compare the engine's view of a created container with what was asked.

    Args:
        attrs: the answer of ``GET /containers/{id}/json``.
        body: what :func:`create_body` built.

    Raises:
        SandboxError: any row that differs; the container must not be started.
    """
    host, asked = _mapping(attrs, "HostConfig"), _mapping(body, "HostConfig")
    config = _mapping(attrs, "Config")
    problems = [
        f"{key}: asked {asked[key]!r}, got {host.get(key)!r}"
        for key in asked
        if not _same(host.get(key), asked[key])
    ]
    problems += [
        f"{key}: asked {body[key]!r}, got {config.get(key)!r}"
        for key in ("User", "Env", "Entrypoint", "Cmd", "Tty", "OpenStdin", "StdinOnce", "Image")
        if not _same(config.get(key), body[key])
    ]
    # What nobody asked for must not be there either.
    problems += [
        f"{key} is set: {host[key]!r}"
        for key in _MUST_BE_UNSET
        if host.get(key) not in (None, "", [], {}, False, 0)
    ]
    if attrs.get("Mounts"):
        problems.append(f"mounts: {attrs['Mounts']!r}")
    if problems:
        raise SandboxError(
            "the engine created a container with other settings than asked; it was not started: "
            + "; ".join(problems)
        )


_MUST_BE_UNSET = (
    "PidMode",
    "UTSMode",
    "UsernsMode",
    "CgroupParent",
    "VolumesFrom",
    "DeviceRequests",
    "DeviceCgroupRules",
    "Sysctls",
    "Links",
    "Dns",
    "PublishAllPorts",
)


def _mapping(source: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = source[key]
    if not isinstance(value, dict):
        raise SandboxError(f"the engine's answer has no {key}")
    return value


def _same(got: object, asked: object) -> bool:
    """Engines write an empty list as null and an absent flag as false."""
    if asked in ([], {}, False, 0) and got in (None, [], {}, False, 0):
        return True
    if isinstance(asked, list) and isinstance(got, list):
        return sorted(map(_key, got)) == sorted(map(_key, asked))
    if isinstance(asked, dict) and isinstance(got, dict):
        return all(_same(got.get(key), value) for key, value in asked.items())
    return got == asked


def _key(value: object) -> str:
    return json.dumps(value, sort_keys=True)
