"""A snapshot of the host sees what a grading could leave there."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from grader.sandbox import leftovers
from grader.sandbox.leftovers import added, snapshot

if TYPE_CHECKING:
    from pathlib import Path


class Api:
    """An engine with one thing of each kind, and more when asked."""

    def __init__(self) -> None:
        self.names = ["a" * 64]

    def containers(self, *, all: bool, filters: dict[str, str]) -> list[dict[str, str]]:  # noqa: A002 - Docker's
        """Containers with the label."""
        assert all
        assert filters
        return [{"Id": name} for name in self.names]

    def volumes(self) -> dict[str, Any]:
        """None: the engine says null."""
        return {"Volumes": None}

    def networks(self) -> list[dict[str, str]]:
        """The same names."""
        return [{"Id": name} for name in self.names]

    def images(self, *, all: bool) -> list[dict[str, str]]:  # noqa: A002 - Docker's
        """The same names."""
        assert all
        return [{"Id": name} for name in self.names]


OF_OTHERS = {"process", "mount", "control group", "interface"}  # may change beside the tests


def now(api: Api) -> dict[str, frozenset[str]]:
    found = snapshot(api)  # type: ignore[arg-type]
    return {kind: names for kind, names in found.items() if kind not in OF_OTHERS}


def test_nothing_done_is_nothing_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    api = Api()
    assert added(now(api), now(api)) == []


def test_what_the_engine_holds_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    api = Api()
    before = now(api)
    api.names.append("b" * 64)
    assert added(before, now(api)) == [
        f"container: {'b' * 12}", f"image: {'b' * 64}", f"network: {'b' * 12}",
    ]  # fmt: skip


def test_files_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = now(Api())
    (tmp_path / "left").touch()
    assert added(before, now(Api())) == [f"file: {tmp_path / 'left'}"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_of_this_process_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = snapshot(Api())  # type: ignore[arg-type]
    with subprocess.Popen(["sleep", "30"]) as child:
        found = added(before, snapshot(Api()))  # type: ignore[arg-type]
        child.kill()
    assert f"process: {child.pid} sleep" in [line.split("(")[0].strip() for line in found]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (f"4:memory:/docker/{'a' * 64}\n", True),
        (f"0::/system.slice/docker-{'0' * 64}.scope\n", True),
        (f"0::/machine.slice/libpod-{'0' * 64}.scope/container\n", True),
        ("0::/user.slice/user-0.slice/session-1.scope\n", False),
        ("12:pids:/\n", False),
    ],
)
def test_control_groups_of_containers_are_known(groups: str, *, expected: bool) -> None:
    assert leftovers._of_container(groups) is expected


def test_what_goes_within_its_time_was_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(leftovers, "snapshot", now)
    api = Api()
    before = now(api)
    (going := tmp_path / "going").touch()
    monkeypatch.setattr("time.sleep", lambda _: going.unlink())
    assert leftovers.left_behind(before, api) == []  # type: ignore[arg-type]
    (tmp_path / "stays").touch()
    left = leftovers.left_behind(before, api, settle=0.0)  # type: ignore[arg-type]
    assert left == [f"file: {tmp_path / 'stays'}"]
