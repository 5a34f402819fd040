"""Podman's answers in Docker's words: what is the same passes, what is weaker does not."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from grader.errors import SandboxError
from grader.exercise.contract import load_exercise
from grader.sandbox.facts import EngineFacts
from grader.sandbox.hardening import ContainerSpec, create_body, verify
from grader.sandbox.podman import in_dockers_words

ROOT = Path(__file__).resolve().parents[2]
FACTS = EngineFacts(
    version="4.3.1",
    api_version="1.41",
    runtime="crun",
    runtime_version="1.8.1",
    cgroup_version=2,
    seccomp=True,
    apparmor=False,
    userns=False,
    rootless=False,
    architecture="x86_64",
    local=True,
    product="Podman",
)
DROPPED = {"EffectiveCaps": None, "BoundingCaps": []}
IMAGE = "sha256:" + "0" * 64


@pytest.fixture
def asked() -> dict[str, Any]:
    """What Podman is asked for."""
    spec = ContainerSpec.candidate(
        IMAGE, load_exercise("imputation", root=ROOT).limits, slot=3, labels={}
    )
    return create_body(spec, FACTS)


@pytest.fixture
def told(asked: dict[str, Any]) -> dict[str, Any]:
    """What Podman 4.3.1 says of such a container."""
    host = copy.deepcopy(asked["HostConfig"])
    host |= {
        "CapDrop": ["AUDIT_WRITE", "CHOWN", "KILL"],
        "PidMode": "private",
        "UTSMode": "private",
        "SecurityOpt": ["no-new-privileges", host["SecurityOpt"][1]],
        "Tmpfs": {path: text.removesuffix(",notmpcopyup") for path, text in host["Tmpfs"].items()},
        "Ulimits": [
            {**limit, "Name": f"RLIMIT_{limit['Name'].upper()}"} for limit in host["Ulimits"]
        ],
    }
    config = {key: value for key, value in asked.items() if key != "HostConfig"}
    config |= {
        "Image": "docker.io/takehome-grader/candidate:caa145f7e3df",
        "Env": [*config["Env"], "TERM=xterm", "container=podman", "HOSTNAME=sandbox"],
    }
    return {"HostConfig": host, "Config": config, "Image": IMAGE, "Mounts": []}


def test_podman_is_asked_for_what_it_takes(asked: dict[str, Any]) -> None:
    host = asked["HostConfig"]
    (profile,) = [o for o in host["SecurityOpt"] if o.startswith("seccomp=")]
    assert profile.endswith("/grader/sandbox/seccomp.json")
    assert "nr_inodes" not in str(host["Tmpfs"])
    for path in ("/run", "/var/tmp"):
        assert "mode=0555" in host["Tmpfs"][path]
    assert "size=8388608" in host["Tmpfs"]["/dev/shm"]
    assert "Runtime" not in host


def test_the_same_settings_pass(asked: dict[str, Any], told: dict[str, Any]) -> None:
    verify(in_dockers_words(told, DROPPED), asked)


def test_capabilities_that_are_left_do_not(asked: dict[str, Any], told: dict[str, Any]) -> None:
    for native in (
        {"EffectiveCaps": ["CAP_CHOWN"], "BoundingCaps": ["CAP_CHOWN"]},
        {"EffectiveCaps": [], "BoundingCaps": ["CAP_SYS_ADMIN"]},
    ):
        with pytest.raises(SandboxError, match="CapDrop"):
            verify(in_dockers_words(told, native), asked)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Tmpfs", {"/tmp": "rw,rprivate,tmpcopyup"}),
        ("SecurityOpt", ["no-new-privileges"]),
        ("PidMode", "host"),
        ("UTSMode", "host"),
        ("IpcMode", "host"),
        ("Ulimits", []),
        ("ReadonlyRootfs", False),
    ],
)
def test_other_settings_do_not(
    key: str, value: object, asked: dict[str, Any], told: dict[str, Any]
) -> None:
    told["HostConfig"][key] = value
    with pytest.raises(SandboxError, match=key):
        verify(in_dockers_words(told, DROPPED), asked)


def test_another_image_or_variable_does_not(asked: dict[str, Any], told: dict[str, Any]) -> None:
    with pytest.raises(SandboxError, match="Image"):
        verify(in_dockers_words({**told, "Image": "sha256:1"}, DROPPED), asked)
    told["Config"]["Env"].append("LD_PRELOAD=/tmp/x.so")
    with pytest.raises(SandboxError, match="Env"):
        verify(in_dockers_words(told, DROPPED), asked)
