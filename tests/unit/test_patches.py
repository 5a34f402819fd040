"""A unified diff applies exactly or is refused with the place of the fault."""

from __future__ import annotations

import random

import pytest

from grader.authoring.patches import PatchError, apply, difference

OLD = {"solution.py": b"def f():\n    a = 1\n    b = 2\n    return a + b\n"}
PATCH = b"""\
--- a/solution.py
+++ b/solution.py
@@ -2,2 +2,2 @@ def f
-    a = 1
+    a = 7
     b = 2
"""


def test_a_patch_that_fits_is_applied() -> None:
    new = apply(OLD, {"x": PATCH})

    assert new == {"solution.py": b"def f():\n    a = 7\n    b = 2\n    return a + b\n"}


def test_another_line_is_refused_with_case_file_hunk_line_and_both_texts() -> None:
    changed = {"solution.py": OLD["solution.py"].replace(b"b = 2", b"b = 3")}

    with pytest.raises(PatchError) as error:
        apply(changed, {"imputation/wrong: defect.patch": PATCH})

    assert str(error.value) == (
        "imputation/wrong: defect.patch: solution.py, hunk 1: line 3 should be "
        r"'    b = 2\n', but is '    b = 3\n'"
    )


def test_the_hunk_that_does_not_fit_is_named() -> None:
    second = PATCH + b"@@ -4 +4 @@\n-    return a\n+    return b\n"

    with pytest.raises(PatchError, match=r"hunk 2: line 4 should be '    return a\\n', but is"):
        apply(OLD, {"x": second})


def test_the_same_lines_elsewhere_do_not_count() -> None:
    moved = {"solution.py": b"# one line more\n" + OLD["solution.py"]}

    with pytest.raises(PatchError, match="hunk 1: line 2 should be"):
        apply(moved, {"x": PATCH})


def test_a_file_that_is_too_short_is_refused() -> None:
    with pytest.raises(PatchError, match=r"line 2 should be '    a = 1\\n', but is the end"):
        apply({"solution.py": b"def f():\n"}, {"x": PATCH})


def test_lines_are_not_added_behind_the_end() -> None:
    patch = b"--- a/solution.py\n+++ b/solution.py\n@@ -9,0 +10 @@\n+    c = 3\n"

    with pytest.raises(PatchError, match="the file has 4 lines, not 9"):
        apply(OLD, {"x": patch})


@pytest.mark.parametrize(
    ("patch", "fault"),
    [
        (b"--- a/gone.py\n+++ b/gone.py\n@@ -1 +1 @@\n-a\n+b\n", "gone.py: there is no such file"),
        (b"--- /dev/null\n+++ b/solution.py\n@@ -0,0 +1 @@\n+b\n", "the file is there already"),
        (b"--- a/solution.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-def f():\n", "3 lines are left"),
        (b"--- a/solution.py\n+++ b/other.py\n@@ -1 +1 @@\n-a\n+b\n", "renamed file"),
        (b"--- a/solution.py\n+++ b/solution.py\n", "no hunk"),
        (b"--- a/solution.py\n+++ b/solution.py\n@@ here @@\n", "no header of a hunk"),
        (b"--- a/solution.py\n+++ b/solution.py\n@@ -1 +2 @@\n-a\n+b\n", "do not agree"),
        (b"--- a/solution.py\n+++ b/solution.py\n@@ -1,2 +1 @@\n-a\n+b\n", "are due"),
        (b"--- a/solution.py\n+++ b/solution.py\n@@ -1 +1 @@\n-a\n+b\n+c\n", "path is due"),
        (b"--- a/solution.py\n+++ b/solution.py\n@@ -1 +1 @@\n-a\n+b", "cut off"),
        (PATCH + PATCH, "two parts"),
        (b"diff --git a/x b/x\n", "line 1 is 'diff --git a/x b/x'"),
    ],
)
def test_what_is_no_unified_diff_of_the_files_is_refused(patch: bytes, fault: str) -> None:
    with pytest.raises(PatchError, match=fault):
        apply(OLD, {"x": patch})


@pytest.mark.parametrize(
    "path", ["../x.py", "a/../../x.py", "/etc/x.py", "a//x.py", "./x.py", "a\\x.py", "C:x.py", ""]
)
def test_a_path_that_leaves_the_folder_is_refused(path: str) -> None:
    patch = f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n".encode()

    with pytest.raises(PatchError, match="no path below"):
        apply(OLD, {"x": patch})


def test_two_patches_have_the_line_numbers_of_the_same_base() -> None:
    first = b"--- a/solution.py\n+++ b/solution.py\n@@ -1 +1,2 @@\n def f():\n+    c = 3\n"
    last = b"--- a/solution.py\n+++ b/solution.py\n@@ -4 +4 @@\n-    return a + b\n+    return c\n"

    assert apply(OLD, {"first": first, "last": last}) == {
        "solution.py": b"def f():\n    c = 3\n    a = 1\n    b = 2\n    return c\n"
    }


def test_two_patches_of_one_line_are_refused() -> None:
    with pytest.raises(PatchError, match=r"line 2 is changed by first: solution.py, hunk 1 too"):
        apply(OLD, {"first": PATCH, "second": PATCH})


def test_two_patches_that_add_one_file_are_refused() -> None:
    patch = b"--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+x = 1\n"

    with pytest.raises(PatchError, match=r"new.py: another patch adds"):
        apply(OLD, {"first": patch, "second": patch})


def test_a_difference_names_the_function_and_has_no_context() -> None:
    new = apply(OLD, {"x": PATCH})

    assert difference(OLD, new) == (
        b"--- a/solution.py\n+++ b/solution.py\n@@ -2 +2 @@ def f\n-    a = 1\n+    a = 7\n"
    )


def test_added_lines_hold_on_to_the_line_above() -> None:
    new = {"solution.py": OLD["solution.py"].replace(b"    b = 2\n", b"    b = 2\n    c = 3\n")}

    patch = difference(OLD, new)

    assert b"@@ -3 +3,2 @@ def f\n     b = 2\n+    c = 3\n" in patch
    with pytest.raises(PatchError, match="hunk 1: line 3"):
        apply({"solution.py": b"def f():\n    a = 1\n    x = 2\n"}, {"x": patch})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"a\nb", b"a\nc", id="no line end on both sides"),
        pytest.param(b"a\nb", b"a\nb\n", id="a line end comes"),
        pytest.param(b"a\nb\n", b"a\nb", id="a line end goes"),
        pytest.param(b"a\nb", b"a\nb\nc", id="a line behind one without an end"),
        pytest.param(b"a\r\nb\r\n", b"a\r\nc\r\n", id="CRLF"),
        pytest.param(b"a\r\nb\n", b"a\nb\r\n", id="line ends change"),
        pytest.param(b"\xef\xbb\xbfa\n", b"a\n", id="a byte-order mark"),
        pytest.param(b"\xff\xfe\x00\n", b"\xff\x00\x00\n", id="no UTF-8"),
        pytest.param(b"a\x0cb\x1cc\n", b"a\x0cb\x1dc\n", id="other separators"),
        pytest.param(b"-- x\n++ y\n", b"-- y\n\\ z\n", id="lines like marks"),
        pytest.param(b"", b"x\n", id="an empty file is filled"),
        pytest.param(b"x\n", b"", id="a file is emptied"),
        pytest.param(None, b"x\ny\n", id="a file comes"),
        pytest.param(None, b"", id="an empty file comes"),
        pytest.param(b"x\n", None, id="a file goes"),
        pytest.param(b"", None, id="an empty file goes"),
    ],
)
def test_bytes_come_back_as_they_were(old: bytes | None, new: bytes | None) -> None:
    before = {"keep.txt": b"k\n", **({} if old is None else {"d/x y.txt": old})}
    after = {"keep.txt": b"k\n", **({} if new is None else {"d/x y.txt": new})}

    assert apply(before, {"x": difference(before, after)}) == after


def test_any_change_comes_back() -> None:
    draw = random.Random(7)

    def text() -> bytes:
        lines = b"".join(draw.choice([b"a", b"b", b"c\r", b""]) + b"\n" for _ in range(9))
        return lines[: len(lines) - draw.randrange(2)]

    for _ in range(300):
        before, after = {"x": text()}, {"x": text()}
        assert apply(before, {"x": difference(before, after)}) == after


def test_equal_trees_have_no_difference() -> None:
    assert difference(OLD, OLD) == b""


def test_a_name_that_a_diff_cannot_hold_is_refused() -> None:
    with pytest.raises(PatchError, match="name the file otherwise"):
        difference({}, {"a\nb.py": b""})
