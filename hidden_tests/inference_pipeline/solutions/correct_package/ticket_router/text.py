"""From the text of a ticket to its tokens, as in training."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TAG = re.compile(r"<[^<>]*>")
_DECIMAL_REFERENCE = re.compile(r"&#0*([0-9]+)")
_URL = re.compile(r"(?<!\S)(?:https?://|www\.)\S+")
_MAIL = re.compile(r"(?<!\S)\S+@\S+")
_NUMBER = re.compile(r"\d+")
_TOKEN = re.compile(r"\w\w+")
_BEYOND_UNICODE = "9999999"


def _strip_tags(text: str) -> str:
    return _TAG.sub(" ", text)


def _decode_references(text: str) -> str:
    """Like `html.unescape`, which alone gives up on numbers of thousands of digits."""

    def shorten(match: re.Match[str]) -> str:
        return "&#" + (match[1] if len(match[1]) < len(_BEYOND_UNICODE) else _BEYOND_UNICODE)

    return html.unescape(_DECIMAL_REFERENCE.sub(shorten, text))


def _unify_forms(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _clear_invisible(text: str) -> str:
    replacements: dict[int, str] = {}
    for character in set(text):
        match unicodedata.category(character):
            case "Cc":
                replacements[ord(character)] = " "
            case "Cf":
                replacements[ord(character)] = ""
    return text.translate(replacements)


def _mask_urls(text: str) -> str:
    return _URL.sub(" urlmask ", text)


def _mask_mails(text: str) -> str:
    return _MAIL.sub(" mailmask ", text)


def _mask_numbers(text: str) -> str:
    return _NUMBER.sub(" nummask ", text)


# In the order of the model card; each step relies on those before it.
STEPS: tuple[Callable[[str], str], ...] = (
    _strip_tags,
    _decode_references,
    _unify_forms,
    _clear_invisible,
    str.casefold,
    _mask_urls,
    _mask_mails,
    _mask_numbers,
)


@dataclass(frozen=True, slots=True)
class CardTokenizer:
    """Tokenizer of the model card."""

    max_tokens: int

    def tokenize(self, text: str) -> list[str]:
        """Return the first tokens of a ticket."""
        for step in STEPS:
            text = step(text)
        return [match.group() for match in islice(_TOKEN.finditer(text), self.max_tokens)]
