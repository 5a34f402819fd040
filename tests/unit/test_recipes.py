from __future__ import annotations

import logging
import sys

import pytest

from grader.wire import recipes
from grader.wire.values import Recipe


def test_numbered_texts_come_lazily() -> None:
    texts = recipes.build(recipes.numbered_texts("<{}> {}", count=2))
    assert iter(texts) is texts  # type: ignore[call-overload]
    assert list(texts) == ["<0> 0", "<1> 1"]  # type: ignore[call-overload]


def test_only_the_last_items_stay() -> None:
    kept = recipes.build(recipes.last_items(2))
    kept.extend(range(9))  # type: ignore[attr-defined]
    assert list(kept) == [7, 8]  # type: ignore[call-overload]


def test_unknown_recipe_is_refused() -> None:
    with pytest.raises(ValueError, match="no recipe of kind"):
        recipes.build(Recipe("cake"))


def test_output_is_recorded_and_so_are_logs_of_every_level(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    monkeypatch.setattr(logging.root, "handlers", [])
    level = logging.root.level
    try:
        record = recipes.build(recipes.recorded_output())
        sys.stdout.write("printed\n")
        logging.getLogger("a.submission").debug("logged")
        logging.getLogger("a.submission").warning("failed", extra={"document": "Invoice"})
        told = record.getvalue()  # type: ignore[attr-defined]
        assert told == "printed\nlogged\nfailed {'document': 'Invoice'}\n"
    finally:
        logging.root.setLevel(level)
