from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from grader.sandbox.cgroups import Cgroup

if TYPE_CHECKING:
    from pathlib import Path

ID = "ab" * 32


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("part", [f"docker/{ID}", f"system.slice/docker-{ID}.scope"])
def test_version_1_is_read(tmp_path: Path, part: str) -> None:
    write(tmp_path, f"cpuacct/{part}/cpuacct.usage", "123456789\n")
    write(tmp_path, f"memory/{part}/memory.max_usage_in_bytes", "4096\n")
    cgroup = Cgroup.find(ID, tmp_path)
    assert cgroup is not None
    assert (cgroup.cpu_ns(), cgroup.peak_bytes()) == (123456789, 4096)
    cgroup.close()


@pytest.mark.parametrize("part", [f"docker/{ID}", f"system.slice/docker-{ID}.scope"])
def test_version_2_is_read(tmp_path: Path, part: str) -> None:
    write(tmp_path, f"{part}/cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n")
    write(tmp_path, f"{part}/memory.peak", "8192\n")
    cgroup = Cgroup.find(ID, tmp_path)
    assert cgroup is not None
    assert (cgroup.cpu_ns(), cgroup.peak_bytes()) == (1_500_000, 8192)
    cgroup.close()


def test_a_peak_is_forgotten_where_the_kernel_can(tmp_path: Path) -> None:
    part = f"docker/{ID}"
    write(tmp_path, f"{part}/cpu.stat", "usage_usec 1\n")
    write(tmp_path, f"{part}/memory.peak", "")
    cgroup = Cgroup.find(ID, tmp_path)
    assert cgroup is not None
    cgroup.forget_peak()
    assert (tmp_path / part / "memory.peak").read_text() == "0"  # what the kernel asks for
    cgroup.close()


def test_an_earlier_peak_hides_nothing_where_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = f"docker/{ID}"
    write(tmp_path, f"{part}/cpu.stat", "usage_usec 1\n")
    write(tmp_path, f"{part}/memory.peak", "9000\n")
    write(tmp_path, f"{part}/memory.current", "3000\n")
    plain = os.open

    def read_only(path: Path, flags: int) -> int:
        if flags & os.O_RDWR:
            raise PermissionError
        return plain(path, flags)

    monkeypatch.setattr(os, "open", read_only)
    cgroup = Cgroup.find(ID, tmp_path)
    assert cgroup is not None
    cgroup.forget_peak()
    assert cgroup.peak_bytes() == 3000  # the peak of 9000 is older
    write(tmp_path, f"{part}/memory.peak", "9500\n")
    assert cgroup.peak_bytes() == 9500
    cgroup.close()


def test_kernel_without_a_peak_says_so(tmp_path: Path) -> None:
    write(tmp_path, f"docker/{ID}/cpu.stat", "usage_usec 1\n")
    cgroup = Cgroup.find(ID, tmp_path)
    assert cgroup is not None
    assert cgroup.peak_bytes() == -1
    cgroup.close()


def test_container_of_another_machine_has_none(tmp_path: Path) -> None:
    assert Cgroup.find(ID, tmp_path) is None
