"""The command that grades labelled solutions: which seeds."""

from __future__ import annotations

import argparse

import pytest

from tests.scripts import load

corpus = load("corpus")


@pytest.mark.parametrize(("text", "numbers"), [("1", [1]), ("3", [1, 2, 3]), ("2-4", [2, 3, 4])])
def test_seeds_are_the_first_few_or_a_part_of_them(text: str, numbers: list[int]) -> None:
    assert list(corpus.seed_range(text)) == numbers


@pytest.mark.parametrize("text", ["0", "0-2", "3-2", "2-", "-3", "x", ""])
def test_what_is_no_range_of_seeds_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="write a number from 1"):
        corpus.seed_range(text)
