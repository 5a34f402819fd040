"""A suite with one test for each thing that an attack could bend."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grader.judge.compare import assert_frame, assert_value
from grader.judge.errors import raises
from grader.wire.recipes import numeric_frame
from grader.wire.values import FileTree


@pytest.mark.criterion("core")
def test_a_value(solution):
    """A number comes back doubled."""
    assert_value(solution.double(21), 42)


@pytest.mark.criterion("core")
def test_b_count(solution):
    """The first call of a process is its first."""
    assert_value(solution.count(), 1)


@pytest.mark.criterion("core")
def test_c_count_again(solution):
    """Another test sees nothing of the one before."""
    assert_value(solution.count(), 1)


@pytest.mark.criterion("core")
def test_d_fresh(solution):
    """A fresh process sees nothing of the one before, within one test."""
    assert_value(solution.count(), 1)
    assert_value(solution.count(), 2)
    assert_value(solution.fresh().count(), 1)


@pytest.mark.criterion("core")
def test_e_raises(solution):
    """A negative number is refused by a ValueError."""
    with raises(ValueError, match="negative"):
        solution.refuse(-1)


@pytest.mark.criterion("core")
def test_f_frame(solution):
    """Missing values are filled with zero."""
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": ["x", "y", "z"]})
    assert_frame(solution.fill(frame), expected=frame.fillna({"a": 0.0}))


@pytest.mark.criterion("core")
def test_g_neighbour(solution):
    """A test after the others still gets its answer."""
    assert_value(solution.double(4), 8)


@pytest.mark.criterion("core")
def test_h_stream_is_lazy(solution):
    """A generator argument is pulled item by item."""
    pulled = []

    def items():
        for number in range(100):
            pulled.append(number)
            yield number

    assert_value(solution.first_two(items()), [0, 1])
    assert_value(len(pulled), 2)


@pytest.mark.criterion("core")
def test_i_threads(solution):
    """Twenty calls on four threads give one answer."""
    outcomes = solution.repeat(20, threads=4).double(5)
    assert_value(outcomes.values(), [10] * 20)


@pytest.mark.criterion("core")
def test_j_file_tree(solution):
    """A folder arrives with its files."""
    assert_value(solution.sizes(FileTree({"a.txt": b"abc", "sub/b.bin": b"\0" * 5})), [3, 5])


@pytest.mark.criterion("core")
def test_k_handles(solution, measure):
    """Objects that are no data stay, and answer."""
    big = solution.make(numeric_frame(rows=1000, columns=3, missing=0.5, seed=2**100 + 7))
    counter = solution.Counter(10)
    assert_value(counter.add(5), 15)
    assert_value(counter.total, 15)
    assert_value(list(counter), [0, 1, 2])
    filled = solution.keep.fill(big)
    assert_value(filled.shape, (1000, 3))
    measure("cost", solution.last.wall_ns / 1e6, "ms", volatile=True)
