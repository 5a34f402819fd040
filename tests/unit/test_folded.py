"""Notebooks are kept with one cell a line and handed in as Jupyter writes them."""

from __future__ import annotations

import json

import pytest

from grader.notebook.convert import notebook_of
from grader.notebook.folded import fold, unfold

NOTEBOOK = notebook_of('"""Ä title."""\n\nx = "😀\\n"\n\n\ndef f():\n    return 1\n', "t")


def test_a_folded_notebook_has_a_line_for_each_cell_and_comes_back() -> None:
    folded = fold(NOTEBOOK)

    assert len(folded.splitlines()) == len(json.loads(NOTEBOOK)["cells"]) + 7
    assert json.loads(folded) == json.loads(NOTEBOOK)
    assert unfold(folded) == NOTEBOOK


@pytest.mark.parametrize(
    "data",
    [
        b"no JSON",
        b"[]",
        b"{}",
        NOTEBOOK.rstrip(),
        NOTEBOOK.replace(b"# t", b"# \\u0074"),
        b'{\n  "cells": []\n}\n',
    ],
)
def test_what_would_come_back_otherwise_is_left_as_it_is(data: bytes) -> None:
    assert fold(data) == data
    assert unfold(data) == data
