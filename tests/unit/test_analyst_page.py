"""The page of an executed notebook: what a cell leaves open takes in no other."""

from __future__ import annotations

from typing import Any

import pytest

from grader.analyst.notebook import notebook_of
from grader.analyst.page import fragment
from grader.notebook.facts import for_analyst
from grader.notebook.fresh import FreshRun
from grader.notebook.page import page_of
from grader.notebook.read import read_notebook
from tests.unit.notebooks import PNG, code, notebook, text

OPEN = [
    "<style>", "<script>", "<script src='x'", "<!-- x", "<textarea>", "<title>", "<xmp>",
    "<plaintext>", "<iframe>", "<svg>", "<math>", "<object>", "<noscript>", "<template>",
    "<select>", "<table><tr>", "<div", "<?php", "<![CDATA[", "</div></div></div>", "<STYLE\n>",
]  # fmt: skip


def made(*cells: Any, outputs: dict[str, object] | None = None, errors: Any = ()) -> str:
    read = read_notebook("x.ipynb", notebook(*cells))
    told = for_analyst(read, FreshRun()) | {"errors": list(errors)}
    found = fragment(notebook_of({"notebook": told}), outputs or {}, {})
    assert page_of(found, "x")
    return found


def shown(mime: str, value: str) -> dict[str, object]:
    return {"output_type": "display_data", "metadata": {}, "data": {mime: value}}


@pytest.mark.slow
@pytest.mark.parametrize("left_open", OPEN)
def test_what_a_text_leaves_open_ends_with_its_cell(left_open: str) -> None:
    page = made(text(f"# Before\n\n{left_open}\n"), "x = 12345", text("# After"))
    assert all(said in page for said in ("Before", "12345", "After"))


@pytest.mark.parametrize("mime", ["text/html", "text/markdown", "text/latex"])
@pytest.mark.parametrize("left_open", OPEN)
def test_what_an_output_leaves_open_hides_no_failure(left_open: str, mime: str) -> None:
    outputs = {"1": [shown(mime, f"first {left_open}"), shown("text/plain", "second")]}
    page = made("f()", text("# After"), outputs=outputs, errors=[[1, 1, "ValueError: wrong"]])
    assert all(said in page for said in ("This cell failed", "wrong", "second", "After"))


@pytest.mark.parametrize(
    "picture",
    [
        "![plot](attachment:plot.png)",
        f"![plot](data:image/png;base64,{PNG})",
        f'<img alt="plot" src="data:image/png;base64,{PNG}" width="3">',
        '<img src="attachment:plot.png">',
        "![](attachment:a%20b.png)",
    ],
)
def test_a_page_without_its_picture_says_so(picture: str) -> None:
    assert "a picture is left out here" in made(text(f"# Title\n\n{picture}\n\nEnd."))


def test_pictures_by_reference_keep_no_page_from_being_made() -> None:
    by_reference = f"![][image1]\n\n[image1]: <data:image/png;base64,{PNG}>"
    assert "End" in made(text(by_reference), text("End"))
    assert "End" in made(text("![][a]\n\n[a]: attachment:x.png"), text("End"))


def test_code_is_shown_as_it_is() -> None:
    assert "&lt;style&gt;" in made(code("x = '<style>'"), text("```html\n<style>\n```"))
