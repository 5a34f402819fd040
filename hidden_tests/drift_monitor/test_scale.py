"""Two windows of 100,000 rows, at a cost compared with the judge's own distances.

CPU time on both sides, the making of the windows included. Seen on one machine: KS tests of scipy
cost about twice the reference, quantile bins less; a permutation test of every row some 200 times,
a loop over rows over 1,000 times.
"""

from __future__ import annotations

import numpy as np
import pytest
import reference
from data import assert_probe, drifted, probe
from wide import Wide

from grader.judge.compare import assert_value

ROWS = 100_000
TIMES = 60.0
HINT = "How does the running time grow with the number of rows?"


@pytest.mark.criterion("solving_scale", sheet="speed", hint=HINT)
def test_a_report_on_many_rows(solution, measure, rng):
    """A report on 200,000 rows costs a time comparable with the reference's."""
    source = Wide(rng, 5, 2)
    old, new = source.reference(rng, ROWS), source.current(rng, ROWS)
    new = probe(new, source, source.numbers[0])
    with solution.stopwatch() as ours:
        due = reference.distances(old, new)
    assert_probe(solution, rng)  # whatever is imported once is no part of the cost
    made = [solution.make(old), solution.make(new)]
    found = drifted(solution.drift_report(*made))
    theirs = solution.last
    assert_value(source.numbers[0] in found, True, what="the drift is found")
    assert_value(bool(np.isfinite(list(due.values())).all()), True, what="distances")
    known = ours.cpu_ns > 0 and theirs.cpu_ns >= 0
    mine, other = (ours.cpu_ns, theirs.cpu_ns) if known else (ours.wall_ns, theirs.wall_ns)
    ratio = other / max(mine, 1_000_000)
    measure("cost of drift_report", ratio, "times the reference", TIMES, volatile=True)
    if not ratio <= TIMES:
        raise AssertionError(f"200,000 rows cost more than {TIMES:.0f} times the reference")
