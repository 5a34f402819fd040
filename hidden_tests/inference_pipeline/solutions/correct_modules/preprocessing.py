"""The steps of the model card, as a table."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

_HIDDEN = {"Cc": " ", "Cf": ""}


def _replacing(pattern: str, word: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)
    return lambda text: compiled.sub(word, text)


def _without_hidden(text: str) -> str:
    return "".join(_HIDDEN.get(unicodedata.category(char), char) for char in text)


STEPS: tuple[Callable[[str], str], ...] = (
    _replacing(r"<[^<>]*>", " "),
    html.unescape,
    lambda text: unicodedata.normalize("NFKC", text),
    _without_hidden,
    str.casefold,
    _replacing(r"(?<!\S)(?:https?://|www\.)\S+", " urlmask "),
    _replacing(r"(?<!\S)\S+@\S+", " mailmask "),
    _replacing(r"\d+", " nummask "),
)


def tokenize(text: str, limit: int) -> list[str]:
    """The first `limit` tokens of a text."""
    for step in STEPS:
        text = step(text)
    return re.findall(r"\w\w+", text)[:limit]
