"""Placeholder suite."""
import numpy as np, pandas as pd, pytest
from hypothesis import given, strategies as st
def assert_frame(a, expected):
    assert type(a) is pd.DataFrame
    pd.testing.assert_frame_equal(a, expected)

@pytest.mark.criterion("runs", hint="x")
def test_runs(solution):
    """impute can be called."""
    solution.impute(pd.DataFrame({"a": [1.0, np.nan]}))

@pytest.mark.criterion("core", hint="x")
@given(st.lists(st.floats(-5, 5) | st.none(), min_size=2))
def test_core(solution, values):
    """Median fills."""
    frame = pd.DataFrame({"a": pd.Series(values, dtype="float64")})
    assert_frame(solution.impute(frame), expected=frame.fillna(frame.median()))

@pytest.mark.criterion("edge", hint="x")
def test_edge(solution):
    """Strings kept."""
    frame = pd.DataFrame({"a": ["x", None]})
    assert_frame(solution.impute(frame), expected=frame)

@pytest.mark.criterion("leak", hint="x")
def test_leak(solution):
    """Train medians."""
    m = solution.keep.MedianImputer()
    m.fit(pd.DataFrame({"a": [1.0, 3.0]}))
    assert_frame(m.transform(pd.DataFrame({"a": [np.nan, 8.0]})), expected=pd.DataFrame({"a": [2.0, 8.0]}))

@pytest.mark.criterion("hygiene", hint="x")
def test_h(solution):
    """Other"""
    solution.impute(pd.DataFrame({"a": [1.0, np.nan]}))
