"""The engine's own view of a container, and what happens when it differs from what was asked."""

from __future__ import annotations

import copy
import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from grader.errors import SandboxError
from grader.exercise.contract import load_exercise
from grader.sandbox.boxes import CandidateBox, JudgeBox
from grader.sandbox.hardening import ContainerSpec, create_body, verify
from tests.sandbox.probe import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.sandbox.images import Images
    from grader.sandbox.workbench import Workbench

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def candidate(bench: Workbench, images: Images) -> Iterator[dict[str, Any]]:
    """The engine's view of a started candidate container."""
    box = CandidateBox(bench.engine, images.candidate, load_exercise("probe", root=PROJECT), slot=3)
    try:
        yield dict(bench.engine.inspect(box.container.id))
    finally:
        box.remove()


@pytest.fixture(scope="module")
def asked(bench: Workbench, images: Images) -> dict[str, Any]:
    """What was asked for it."""
    limits = load_exercise("probe", root=PROJECT).limits
    spec = ContainerSpec.candidate(images.candidate, limits, slot=3, labels={})
    return create_body(spec, bench.engine.facts)


CHANGES: dict[str, tuple[str, object]] = {
    "a capability kept": ("CapDrop", []),
    "a capability added": ("CapAdd", ["SYS_PTRACE"]),
    "privileged": ("Privileged", True),
    "another seccomp profile": ("SecurityOpt", ["no-new-privileges:true", "seccomp=unconfined"]),
    "writable root": ("ReadonlyRootfs", False),
    "network": ("NetworkMode", "bridge"),
    "shared memory": ("IpcMode", "private"),
    "more memory": ("Memory", 1 << 34),
    "swap": ("MemorySwap", -1),
    "no process limit": ("PidsLimit", None),
    "all CPUs": ("NanoCpus", 0),
    "no file limits": ("Ulimits", None),
    "scratch that can be executed": ("Tmpfs", {"/tmp": "rw", "/submission": "rw"}),
    "logs on disk": ("LogConfig", {"Type": "json-file", "Config": {}}),
    "restart": ("RestartPolicy", {"Name": "always", "MaximumRetryCount": 0}),
    "a bind": ("Binds", ["/:/host"]),
    "a device": ("Devices", [{"PathOnHost": "/dev/kvm"}]),
    "the host's processes": ("PidMode", "host"),
    "the host's users": ("UsernsMode", "host"),
    "a cgroup parent": ("CgroupParent", "/"),
    "a sysctl": ("Sysctls", {"net.ipv4.ip_forward": "1"}),
}


def test_engine_took_every_setting(candidate: dict[str, Any], asked: dict[str, Any]) -> None:
    verify(candidate, asked)


@pytest.mark.parametrize("name", CHANGES)
def test_container_with_another_setting_is_not_started(
    name: str, candidate: dict[str, Any], asked: dict[str, Any]
) -> None:
    key, value = CHANGES[name]
    changed = copy.deepcopy(candidate)
    changed["HostConfig"][key] = value
    with pytest.raises(SandboxError, match=key):
        verify(changed, asked)


def test_container_with_a_mount_is_not_started(
    candidate: dict[str, Any], asked: dict[str, Any]
) -> None:
    changed = {**candidate, "Mounts": [{"Source": "/", "Destination": "/host"}]}
    with pytest.raises(SandboxError, match="mounts"):
        verify(changed, asked)


def test_container_with_another_user_is_not_started(
    candidate: dict[str, Any], asked: dict[str, Any]
) -> None:
    changed = {**candidate, "Config": {**candidate["Config"], "User": "0:0"}}
    with pytest.raises(SandboxError, match="User"):
        verify(changed, asked)


def test_images_share_no_layer(bench: Workbench, images: Images) -> None:
    layers = [
        set(bench.engine.api.inspect_image(image)["RootFS"]["Layers"])
        for image in (images.candidate, images.judge)
    ]
    assert not layers[0] & layers[1]


def test_candidate_image_holds_no_judge_and_no_suite(bench: Workbench, images: Images) -> None:
    api = bench.engine.api
    made = api.create_container(images.candidate, ["x"])["Id"]
    try:
        names = _names(api.export(made))
    finally:
        api.remove_container(made)
    assert any(name.endswith("grader/candidate/supervisor.py") for name in names)
    bad = (
        "grader/judge",
        "grader/sandbox",
        "hidden_tests",
        "rubric",
        "/pip/",
        "bin/git",
        "site/_pytest/",
    )
    assert [name for name in names if any(part in f"/{name}" for part in bad)] == []


def _names(chunks: Iterator[bytes]) -> list[str]:
    class Reader(io.RawIOBase):
        def __init__(self) -> None:
            self.left = b""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            while not self.left:
                try:
                    self.left = next(chunks)
                except StopIteration:
                    return 0
            part = self.left[: len(buffer)]
            buffer[: len(part)] = part
            self.left = self.left[len(part) :]
            return len(part)

    with tarfile.open(fileobj=io.BufferedReader(Reader(), 1 << 20), mode="r|") as archive:
        members = list(archive)
    assert [m.name for m in members if m.isfile() and m.mode & 0o6000] == []
    return [member.name for member in members]


def test_judge_container_has_the_same_walls(bench: Workbench, images: Images) -> None:
    box = JudgeBox(bench.engine, images.judge, slot=3)
    try:
        host = bench.engine.api.inspect_container(box.container.id)["HostConfig"]
    finally:
        box.remove()
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
