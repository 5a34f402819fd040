"""Packages that execute text which they make are found by their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from grader.sandbox.generators import generators

if TYPE_CHECKING:
    from pathlib import Path


def write(site: Path, name: str, text: str) -> None:
    path = site / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "def f(text):\n    exec(text)\n",
        "class A:\n    def f(self, text):\n        return eval(text, {})\n",
        "async def f(text):\n    return [compile(part, '', 'exec') for part in text]\n",
        "f = lambda text: eval(text)\n",
        "def f():\n    def g(text):\n        exec(text)\n    return g\n",
    ],
)
def test_a_function_that_evaluates_is_found(tmp_path: Path, text: str) -> None:
    write(tmp_path, "maker/deep/core.py", text)
    assert generators(tmp_path) == {"maker": "maker/deep/core.py"}


@pytest.mark.parametrize(
    "text",
    [
        "exec('x = 1')\n",  # while it is imported
        "import re\ndef f(text):\n    return re.compile(text)\n",
        "def f(frame):\n    return frame.eval('a + 1')\n",
        "def evaluate(text):\n    return text  # eval(text)\n",
        "def f(:\n    exec('')\n",
    ],
)
def test_other_modules_are_not(tmp_path: Path, text: str) -> None:
    write(tmp_path, "plain.py", text)
    assert generators(tmp_path) == {}


def test_each_package_is_named_once_and_tests_do_not_count(tmp_path: Path) -> None:
    code = "def f(text):\n    exec(text)\n"
    for name in ("b/x.py", "b/y.py", "a.py", "c/tests/test_x.py"):
        write(tmp_path, name, code)
    assert list(generators(tmp_path).items()) == [("a", "a.py"), ("b", "b/x.py")]
