"""Python files in the encodings that they declare, on the host and in the static review."""

from __future__ import annotations

import ast

import pytest

from grader.analyst.source import UnreviewableError, read_module
from grader.analyst.structure import _says_something
from grader.wire.sources import SourceError, decode_source

TEXTS = {
    "iso-8859-15": "Relev\u00e9 \u00e0 10 \u20ac",
    "latin-1": "Relev\u00e9",
    "windows-1252": "\u201eja\u201c",
    "iso-8859-2": "P\u0159\u00edli\u0161",
    "cp1250": "P\u0159\u00edli\u0161",
    "cp1251": "\u041e\u0442\u0447\u0451\u0442",
    "koi8-r": "\u041e\u0442\u0447\u0451\u0442",
    "cp1254": "\u0131\u015f\u0131k",
    "iso-8859-7": "\u03b1\u03b2\u03b3",
    "gbk": "\u62a5\u544a",
    "gb18030": "\u62a5\u544a",
    "big5": "\u5831\u544a",
    "shift_jis": "\u8868\u793a",  # whose second byte is a backslash
    "euc-jp": "\u5831\u544a",
    "euc-kr": "\ubcf4\uace0",
}


@pytest.mark.parametrize(("encoding", "text"), TEXTS.items())
@pytest.mark.parametrize(
    "head", ["# -*- coding: {} -*-\n", "#!/usr/bin/env python\n# vim: set fileencoding={} :\n"]
)
def test_a_declared_encoding_is_read_as_python_reads_it(
    encoding: str, text: str, head: str
) -> None:
    source = f'{head.format(encoding)}x = """{text}"""\n'
    raw = source.encode(encoding)
    assert decode_source(raw) == source
    namespace: dict[str, object] = {}
    exec(compile(raw, "x.py", "exec"), namespace)
    found = read_module("x.py", raw).tree.body[0]
    assert isinstance(found, ast.Assign)
    assert ast.literal_eval(found.value) == text == namespace["x"]


@pytest.mark.parametrize("line", [1, 2])
def test_a_first_line_in_the_declared_encoding_is_read(line: int) -> None:
    lines = ["# caf\u00e9", "# coding: latin-1"][:: 1 if line == 2 else -1]
    assert decode_source("\n".join(lines).encode("latin-1")).split("\n") == lines


def test_without_a_declaration_it_is_utf_8_with_or_without_a_mark() -> None:
    assert decode_source(b"\xef\xbb\xbfx = 1\r\ny = 2\r") == "x = 1\ny = 2\n"
    assert decode_source("# \u62a5".encode()) == "# \u62a5"
    assert decode_source(b"x = 1\n# coding: gbk\n# \xc3\xa9") == "x = 1\n# coding: gbk\n# \xe9"


@pytest.mark.parametrize(
    "raw",
    [
        b"# coding: utf-7\n",
        b"# coding: rot13\n",
        b"# coding: unicode_escape\n",
        b"# coding: raw_unicode_escape\n",
        b"# coding: punycode\n",
        b"# coding: idna\n",
        b"# coding: hz\n",
        b"# coding: iso-2022-jp\n",
        b"# coding: utf-16\n",
        b"# coding: base64\n",
        b"# coding: cp037\n",
        b"# coding: nobody-knows\n",
        b"\xef\xbb\xbf# coding: latin-1\n",
        b"x = '\xe9'\n",
        b"# coding: ascii\nx = '\xe9'\n",
    ],
)
def test_encodings_that_can_hide_code_are_not_reviewed(raw: bytes) -> None:
    with pytest.raises(SourceError):
        decode_source(raw)
    with pytest.raises(UnreviewableError):
        read_module("x.py", raw)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Fills the gaps.", True),
        ("\u0417\u0430\u043f\u043e\u043b \u043f\u0440\u043e\u043f \u043c\u0435\u0434", True),
        ("\u7528\u4e2d\u4f4d\u6570\u586b\u8865\u7f3a\u5931\u503c", True),
        ("\u0e40\u0e15\u0e34\u0e21\u0e04\u0e48\u0e32\u0e17\u0e35\u0e2b\u0e22", True),
        ("\u0930\u093f\u0915\u094d\u0924 \u092e\u093e\u0928 \u092d\u0930\u0924\u093e", True),
        ("TODO", False),
        ("\u62a5\u544a", False),
        ("\u62a5\u62a5\u62a5\u62a5\u62a5\u62a5", False),
    ],
)  # fmt: skip
def test_a_docstring_of_any_script_says_something(text: str, says: bool) -> None:
    assert _says_something(text) is says
