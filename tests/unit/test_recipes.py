from __future__ import annotations

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
