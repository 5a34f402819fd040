"""What a container engine says of itself."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EngineFacts"]


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What the engine says of itself.

    Attributes:
        product: "Docker" or "Podman".
        architecture: as the kernel names it (``x86_64``, ``aarch64``).
        local: its containers' cgroup files can be read here.
    """

    version: str
    api_version: str
    runtime: str
    runtime_version: str
    cgroup_version: int
    seccomp: bool
    apparmor: bool
    userns: bool
    rootless: bool
    architecture: str
    local: bool
    product: str = "Docker"
