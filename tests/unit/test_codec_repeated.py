"""What the codec remembers from one payload to the next changes nothing but the time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from grader.wire import codec

LABELS = pd.DataFrame({"left": [1.0], "right": [2.0]}).columns


def sent(value: object) -> Any:
    return codec.decode(codec.encode(value))


def test_a_copy_that_is_renamed_leaves_the_next_one_alone() -> None:
    frame = pd.DataFrame({"name": [1], "other": [2]})
    first = sent(frame)
    first.columns.name = "changed"
    first.columns = ["x", "y"]
    pd.testing.assert_frame_equal(sent(frame), frame)


def test_labels_that_are_written_into_leave_the_next_copy_alone() -> None:
    first = sent(LABELS)
    first._values._readonly = False
    first._values[0] = "changed"
    assert sent(LABELS).tolist() == ["left", "right"]


def test_labels_that_were_written_into_cross_as_they_are_now() -> None:
    labels = pd.Series(["left", "right"]).array
    codec.encode(labels)
    labels[0] = "changed"
    assert sent(labels).tolist() == ["changed", "right"]


def test_the_depth_of_known_labels_counts() -> None:
    payload = codec.encode([[LABELS]])
    with pytest.raises(codec.DecodeError):
        codec.decode(payload, max_depth=3)
    codec.decode(payload)
    with pytest.raises(codec.DecodeError):
        codec.decode(payload, max_depth=3)


def test_the_items_of_known_labels_count() -> None:
    payload = codec.encode([LABELS] * 20)
    codec.decode(payload)
    with pytest.raises(codec.DecodeError, match="more items"):
        codec.decode(payload, max_items=20 * 100)


@pytest.mark.parametrize("change", [1, -1])
def test_an_index_that_lies_about_its_length_is_refused(change: int) -> None:
    payload = bytearray(codec.encode([pd.Index([1.5, 2.5]), "tail"]))
    at = payload.index(bytes([len(codec.encode(pd.Index([1.5, 2.5]))) - 6, 0, 0, 0]))
    payload[at] += change
    with pytest.raises(codec.DecodeError):
        codec.decode(bytes(payload))


def test_categories_are_checked_again_in_another_payload() -> None:
    good = codec.encode(pd.Categorical(["x", "y"]))
    codec.decode(good)
    with pytest.raises(codec.DecodeError):
        codec.decode(good.replace(b"xy", b"xx"))


def test_blocks_that_lie_scattered_keep_their_columns() -> None:
    frame = pd.DataFrame({"a": [1.0], "b": [1], "c": [2.0], "d": ["t"], "e": [3.0], "f": [2]})
    pd.testing.assert_frame_equal(sent(frame), frame)


def test_two_blocks_of_one_dtype_keep_their_columns() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["s", "t"]})
    frame["c"] = [3.0, 4.0]
    frame.insert(0, "d", np.array([5.0, 6.0]))
    pd.testing.assert_frame_equal(sent(frame), frame)


def test_a_block_without_columns_crosses() -> None:
    frame = pd.DataFrame(np.ones((3, 0)))
    pd.testing.assert_frame_equal(sent(frame), frame)


def test_a_frame_that_crossed_can_be_worked_with() -> None:
    frame = pd.DataFrame({
        "a": [1.0, 2.0], "b": [3.0, 4.0], "i": pd.array([1, None], "Int64"), "s": ["x", None],
        "c": pd.Categorical(["u", "v"]), "d": pd.date_range("2026", periods=2),
        "z": pd.date_range("2026", periods=2, tz="UTC"),
        "p": pd.period_range("2026", periods=2, freq="M"),
    })  # fmt: skip
    copy = sent(frame)
    copy.loc[0, "a"] = 9.0
    copy["new"] = copy["b"] * 2
    copy = pd.concat([copy, copy]).sort_values("d").reset_index(drop=True)
    assert copy["a"].tolist() == [9.0, 9.0, 2.0, 2.0]
    assert copy[["d", "z", "p"]].dtypes.tolist() == frame[["d", "z", "p"]].dtypes.tolist()
