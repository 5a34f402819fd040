from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from grader.candidate.scratch import empty_directory, write_files

if TYPE_CHECKING:
    from pathlib import Path


def test_files_are_written_below_the_folder(tmp_path: Path) -> None:
    write_files(str(tmp_path), {"a.py": b"1", "b/c.py": b"2"})
    assert (tmp_path / "b/c.py").read_bytes() == b"2"


@pytest.mark.slow
def test_any_tree_is_removed_without_following_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    os.mkfifo(inside / "fifo")
    (inside / "closed").mkdir(mode=0)
    for name in ("-rf", "a\nb", "ü"):
        (inside / name).write_text("x")
    deep = os.open(inside, os.O_RDONLY)
    for _ in range(3000):  # deeper than Python's recursion limit and than PATH_MAX
        os.mkdir("d", dir_fd=deep)
        below = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = below
    os.close(deep)
    empty_directory(str(inside))
    assert list(inside.iterdir()) == []
    assert (outside / "kept").exists()


def test_folder_that_is_a_link_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        empty_directory(str(tmp_path / "link"))
    assert (tmp_path / "real/file").exists()
