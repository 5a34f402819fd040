"""What a hostile process may say about its own run."""

from __future__ import annotations

import json

import pytest

from grader.notebook.compare import same
from grader.notebook.facts import departure_notes, facts_of
from grader.notebook.fresh import FreshRun, read_run
from grader.notebook.page import page_of
from grader.notebook.read import read_notebook
from tests.unit.notebooks import PNG, code, notebook

TWO = read_notebook("solution.ipynb", notebook("a = 1", "b = 2\nb = c"))
GOOD = [{"begin": 1}, {"done": 1, "outputs": []}, {"begin": 2}, {"done": 2, "outputs": []}]


def run(*records: object, cause: str = "") -> FreshRun:
    lines = [
        record if isinstance(record, bytes) else json.dumps(record).encode() for record in records
    ]
    return read_run(b"\n".join([json.dumps({"cause": cause}).encode(), *lines, b""]), TWO)


def test_a_run_in_good_order_has_no_errors() -> None:
    assert run(*GOOD, {"end": True}) == FreshRun({1: (), 2: ()}, ran=frozenset({1, 2}))


@pytest.mark.parametrize(
    "records",
    [
        [],
        [b""],
        [b"\xff"],
        [b"[" * 100_000],
        [b"5"],
        [{"end": True}],
        [{"done": 1}],
        [{"begin": 2}],
        [{"begin": "1"}],
        [{"begin": True}, {"done": 2}],
        [*GOOD[:2], {"end": True}],
        [*GOOD, {"begin": 3}],
        [*GOOD],
        [b"[" + b'{"":0},' * 300_000 + b"0]"],
        [b"[" + b"1," * 5_000_000 + b"1]"],
    ],
)
def test_a_run_out_of_order_is_one_that_stopped(records: list[object]) -> None:
    assert run(*records, cause="memory").stopped == "the process was killed for its memory"


def test_an_unknown_cause_is_put_in_our_words() -> None:
    assert run(cause="<script>").stopped == "the process ended"


def test_an_error_is_text_of_bounded_length_at_a_line_that_exists() -> None:
    told = {"line": 2, "type": "T" * 999, "message": "m" * 9999}
    (error,) = run(*GOOD[:3], {"done": 2, "outputs": [], "error": told}, {"end": True}).errors
    assert (error.number, error.line, error.source.raw) == (2, 2, "b = c")
    assert len(error.type.raw) < 150
    assert len(error.message.raw) < 600
    far = {"line": 10**9, "type": 5, "message": None}
    (error,) = run(*GOOD[:3], {"done": 2, "outputs": [], "error": far}, {"end": True}).errors
    assert (error.line, error.type.raw, error.source.raw) == (0, "Error", "")


@pytest.mark.parametrize(
    ("stored", "fresh", "equal"),
    [
        ("a\n", "a\n", True),
        ("0.3333333333", "0.33333333331", True),
        ("0.81", "0.82", False),
        ("<A at 0x7f0011223344>", "<A at 0x7f9988776655>", True),
        ("x\nWall time: 3 s\n", "x\nWall time: 9 s\n", True),
        ("x", "x y", False),
        ("nan", "nan", True),
    ],
)
def test_outputs_are_compared_by_what_a_rerun_repeats(stored: str, fresh: str, equal: bool) -> None:
    def shown(text: str) -> dict[str, object]:
        return {"output_type": "stream", "name": "stdout", "text": text}

    (cell,) = read_notebook("a.ipynb", notebook(code("x", 1, shown(stored)))).code
    assert same(cell, [shown(fresh)]) == equal


def test_warnings_and_pixels_may_differ_but_not_the_number_of_pictures() -> None:
    picture = {"output_type": "display_data", "data": {"image/png": PNG, "text/plain": "<F>"}}
    other = {**picture, "data": {"image/png": PNG[:-8] + "AAAA====", "text/plain": "<G>"}}
    warned = {"output_type": "stream", "name": "stderr", "text": "w"}
    (cell,) = read_notebook("a.ipynb", notebook(code("x", 1, picture))).code
    assert same(cell, [other, warned])
    assert not same(cell, [])
    assert not same(cell, [picture, picture])


@pytest.mark.parametrize("source", ["%%time\nx", "x"])
def test_cells_that_claim_nothing_are_not_compared(source: str) -> None:
    shown = {"output_type": "stream", "name": "stdout", "text": "7"}
    count = 1 if source != "x" else None
    (cell,) = read_notebook("a.ipynb", notebook(code(source, count, shown))).code
    assert same(cell, [])


def test_facts_count_cells_figures_and_differences() -> None:
    shown = {"output_type": "stream", "name": "stdout", "text": "old"}
    picture = {"output_type": "display_data", "data": {"image/png": PNG}}
    read = read_notebook("a.ipynb", notebook(code("x", 1, shown), "y"))
    facts = facts_of(read, FreshRun({1: (), 2: (picture,)}), page=True)
    assert (facts.code_cells, facts.figures, facts.page) == (2, 1, "notebook.html")
    assert [(d.number, d.stored.raw, d.fresh.raw) for d in facts.differences] == [(1, "old", "")]


@pytest.mark.parametrize(
    "fragment",
    [
        "<script>x</script>",
        "<p onclick='x'>",
        '<p class="a" onclick="x">',
        "<img src=x>",
        '<img src="http://example.org/a.png" alt="figure">',
        '<img src="data:image/svg+xml;base64,AA==" alt="figure">',
        "<a href='x'>y</a>",
        "<style>x</style>",
        "<p",
        "<!-- x -->",
        "<svg>",
        '<p style="x">',
        "",
    ],
)
def test_no_page_is_made_of_a_fragment_with_anything_unknown(fragment: str) -> None:
    assert page_of(f"<p>ok</p>{fragment}" if fragment else "", "title") == ""


def test_a_page_allows_nothing_to_load() -> None:
    picture = f'<img src="data:image/png;base64,{PNG}" alt="figure">'
    page = page_of(f'<div class="cell"><pre>1 &lt; 2</pre>{picture}</div>', "<script>")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_notebook_without_a_page_says_so() -> None:
    read = read_notebook("a.ipynb", notebook("x = 1"))
    assert departure_notes(read, "", page=True) == ()
    (note,) = departure_notes(read, "", page=False)
    assert note == "'a.ipynb': no page of the executed notebook could be made"
    assert departure_notes(None, "", page=False) == ()
