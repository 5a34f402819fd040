from __future__ import annotations

import json
from typing import Any

import pytest

from grader.errors import SubmissionRejected
from grader.notebook.read import read_notebook
from tests.unit.notebooks import PNG, code, notebook, text


def read(data: bytes) -> Any:
    return read_notebook("solution.ipynb", data)


def refusal(data: bytes) -> tuple[str, str]:
    with pytest.raises(SubmissionRejected) as caught:
        read(data)
    return caught.value.code, str(caught.value)


def test_code_cells_are_numbered_as_a_fresh_run_counts_them() -> None:
    found = read(notebook(text("# Title"), "a = 1", text("More"), "b = 2"))
    assert [(cell.kind, cell.number) for cell in found.cells] == [
        ("markdown", 0),
        ("code", 1),
        ("markdown", 0),
        ("code", 2),
    ]
    assert found.notes == ()


def test_sources_may_be_lists_of_lines() -> None:
    assert read(notebook({**code(""), "source": ["a = 1\n", "b = 2"]})).code[0].plain == (
        "a = 1\nb = 2"
    )


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b'{"cells": [', "notebook-damaged", "line 1, column 12"),
        (b"\xff\xfe{}", "notebook-damaged", "not UTF-8"),
        (b"[1]", "notebook-damaged", "no notebook"),
        (b"<<<<<<< HEAD\n{}", "notebook-damaged", "git merge"),
        (b'{"cells": [], "cells": []}', "notebook-damaged", "same key twice"),
        (b"[" * 100_000, "notebook-damaged", "nested too deeply"),
        (notebook(cells=5), "notebook-damaged", "no list of cells"),
        (notebook(nbformat=2), "notebook-version", "nbformat '2'"),
        (notebook(nbformat="x"), "notebook-version", "3 and 4 are read"),
        (b"{}", "notebook-version", "nbformat"),
        (notebook(nbformat=3, cells=None), "notebook-damaged", "no valid nbformat 3"),
        (notebook(*["x"] * 1001), "notebook-size", "1000 cells"),
        (notebook("x" * (1 << 19) + "x"), "notebook-size", "characters"),
        (b" " * ((32 << 20) + 1), "notebook-size", "clear the outputs"),
        (b"[" * 200_001, "notebook-size", "too many values"),
        (b'{"nbformat": 3, "a": [' + b"[]," * 50_000 + b"0]}", "notebook-size", "nbformat 3"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_what_cannot_be_read_is_refused_with_the_fix(data: bytes, code: str, said: str) -> None:
    found, message = refusal(data)
    assert found == code
    assert said in message


def test_nbformat_3_is_upgraded() -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {"cell_type": "heading", "level": 1, "source": "Title", "metadata": {}},
                    {
                        "cell_type": "code",
                        "input": "x = 1\nx",
                        "prompt_number": 3,
                        "language": "python",
                        "collapsed": False,
                        "metadata": {},
                        "outputs": [
                            {
                                "output_type": "pyout",
                                "prompt_number": 3,
                                "text": "1",
                                "metadata": {},
                            }
                        ],
                    },
                ],
            }
        ],
    }
    found = read(json.dumps(old).encode())
    assert found.code[0].plain == "x = 1\nx"
    assert found.code[0].count == 3
    assert found.code[0].outputs[0]["data"] == {"text/plain": "1"}
    assert found.cells[0].source == "# Title"
    assert "upgraded from nbformat 3" in found.notes[0]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (notebook("x", nbformat=None), "names no nbformat; read as version 4"),
        (notebook("x", metadata=None), "metadata is missing"),
        (notebook("x", metadata={"kernelspec": {"name": "ir", "language": "R"}}), "kernel 'R'"),
        (notebook("x", {"cell_type": "evil", "source": ""}), "1 cell of no known type"),
        (notebook("x", "text"[:0], {"cell_type": "code", "source": 5}), "no known type"),
        (notebook({**code("x"), "metadata": {"tags": ["skip-execution"]}}), "skip-execution"),
        (notebook("!ls", "x", "!ls"), "shell escapes (!) in cells 1, 3 do nothing here"),
        (notebook("%pip install foo"), "%pip in cell 1 does nothing here"),
        (notebook(code("x", 1, {"output_type": "stream", "text": "x" * 99_999})), "too large"),
    ],
)
def test_what_is_mended_or_ignored_is_noted(data: bytes, said: str) -> None:
    (note,) = read(data).notes
    assert said in note
    assert note.startswith("'solution.ipynb': ")


@pytest.mark.parametrize("name", ["python3", "Python 3 (ipykernel)", "python3.9"])
def test_the_usual_kernel_names_are_no_news(name: str) -> None:
    assert read(notebook("x", metadata={"kernelspec": {"name": name}})).notes == ()


def test_tags_and_kernels_change_nothing_that_runs() -> None:
    tagged = {**code("1 / 0"), "metadata": {"tags": ["raises-exception", "skip-execution"]}}
    assert read(notebook(tagged)).code[0].plain == "1 / 0"


def test_only_known_outputs_of_their_own_kind_are_kept() -> None:
    outputs = [
        {"output_type": "display_data", "data": {"image/png": PNG}},
        {"output_type": "display_data", "data": {"image/png": "PHNjcmlwdD4="}},
        {"output_type": "display_data", "data": {"application/javascript": "alert(1)"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=x>"}},
        {"output_type": "stream", "name": "stdout", "text": ["a", "b"]},
        {"output_type": "stream", "name": "stdout", "text": 7},
        {"output_type": "comm", "data": {}},
        "text",
    ]
    (cell,) = read(notebook(code("x", 1, *outputs))).code  # type: ignore[arg-type]
    assert [output.get("data", output.get("text")) for output in cell.outputs] == [
        {"image/png": PNG},
        "ab",
    ]


def test_lone_surrogates_do_not_travel() -> None:
    data = notebook("x").replace(b'"x"', b"\"x = '\\ud800'\"")
    assert read(data).code[0].plain == "x = '\ufffd'"


PASTED = "data:image/png;base64," + "iVBORw0KGgo" * 200_000


@pytest.mark.parametrize(
    "form", [f"![image.png]({PASTED})", f'<img src="{PASTED}">', f"![][a]\n\n[a]: <{PASTED}>"]
)
def test_pictures_in_a_text_count_for_no_limit_of_text(form: str) -> None:
    read = read_notebook("x.ipynb", notebook(text(f"# Title\n\n{form}"), "x = 1"))
    assert len(read.cells[0].source) < 100
    assert "attachment:picture" in read.cells[0].source


def test_a_text_that_is_too_long_is_refused_all_the_same() -> None:
    with pytest.raises(SubmissionRejected, match="characters of text"):
        read_notebook("x.ipynb", notebook(text("data:image/png;base64,!" + "x" * (1 << 19))))


def test_brackets_in_strings_are_no_values() -> None:
    markup = "<script>" + '{["\\"}]' * 200_000 + "</script>"
    library = {"output_type": "display_data", "metadata": {}, "data": {"text/html": markup}}
    assert len(read_notebook("x.ipynb", notebook(code("x", 1, library, library))).code) == 1


@pytest.mark.slow
@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "data",
    [
        b'{"a": ' + b"[" * 300_000 + b"]" * 300_000 + b"}",
        b'{"a": "x", "b": [' + b"{}," * 300_000 + b"{}]}",
        b'"' + b'\\"' * 4_000_000,
        b'"' * 8_000_000 + b"[" * 300_000,
        b"\\" * 8_000_000 + b"[" * 300_000,
        b'{"a": {' + b'"b":1,' * 600_000 + b'"c": 1}}',
        b'{"a": [' + b"1," * 5_000_000 + b"1]}",
    ],
    ids=range(7),
)
def test_too_many_values_are_refused_before_they_are_parsed(data: bytes) -> None:
    with pytest.raises(SubmissionRejected):
        read_notebook("x.ipynb", data)


@pytest.mark.slow
@pytest.mark.timeout(20)
def test_too_much_text_is_refused_before_it_is_looked_at() -> None:
    line = "x" * 499 + "\n"
    with pytest.raises(SubmissionRejected, match="characters of text"):
        read_notebook("x.ipynb", notebook(*[line * 1000] * 30))
