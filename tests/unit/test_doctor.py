from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from grader.sandbox.doctor import host_findings, warnings_of
from grader.sandbox.facts import EngineFacts

if TYPE_CHECKING:
    from pathlib import Path

GOOD = EngineFacts(
    version="29.0.1",
    api_version="1.52",
    runtime="runc",
    runtime_version="1.3.3",
    cgroup_version=2,
    seccomp=True,
    apparmor=True,
    userns=True,
    rootless=False,
    architecture="x86_64",
    local=True,
)


def test_current_engine_has_no_warning() -> None:
    assert warnings_of(GOOD) == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": "19.03.5"}, "Docker 19.03.5"),
        ({"runtime_version": "1.1.5+ds1"}, "older than 1.2.8 / 1.3.3"),
        ({"runtime_version": "1.3.2"}, "older than"),
        ({"runtime_version": ""}, "unknown version"),
        ({"seccomp": False}, "seccomp"),
        ({"apparmor": False}, "AppArmor"),
        ({"userns": False}, "user namespaces"),
        ({"local": False}, "remote"),
    ],
)
def test_what_an_engine_lacks_is_a_warning(changes: dict[str, object], words: str) -> None:
    (warning,) = warnings_of(dataclasses.replace(GOOD, **changes))  # type: ignore[arg-type]
    assert words in warning


@pytest.mark.parametrize(
    "changes", [{"runtime_version": "1.2.8"}, {"runtime": "runsc"}, {"rootless": True}]
)
def test_other_ways_to_be_safe_are_no_warning(changes: dict[str, object]) -> None:
    assert warnings_of(dataclasses.replace(GOOD, **changes)) == ()  # type: ignore[arg-type]


def kernel(root: Path, **values: str) -> Path:
    settings = {
        "sys/fs/protected_hardlinks": "1",
        "sys/kernel/dmesg_restrict": "1",
        "sys/kernel/unprivileged_bpf_disabled": "2",
        "sys/kernel/core_pattern": "core",
        "swaps": "Filename",
        **values,
    }
    for name, text in settings.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


def test_strict_kernel_has_no_warning(tmp_path: Path) -> None:
    assert {finding.state for finding in host_findings(kernel(tmp_path))} == {"ok"}


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("sys/fs/protected_hardlinks", "0", "fs.protected_hardlinks"),
        ("sys/kernel/dmesg_restrict", "0", "kernel.dmesg_restrict"),
        ("sys/kernel/unprivileged_bpf_disabled", "0", "kernel.unprivileged_bpf_disabled"),
        ("sys/kernel/core_pattern", "|/usr/lib/apport %p", "kernel.core_pattern"),
        ("swaps", "Filename\n/swap file", "swap"),
    ],
)
def test_what_a_kernel_allows_is_a_warning_with_its_fix(
    tmp_path: Path, name: str, value: str, finding: str
) -> None:
    bad = [item for item in host_findings(kernel(tmp_path, **{name: value})) if item.state != "ok"]
    assert [item.name for item in bad] == [finding]
    assert bad[0].fix
