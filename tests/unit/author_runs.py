"""Runs of pytest in forks of one process that has imported what hidden suites need."""

from __future__ import annotations

import os
from pathlib import Path

from tests.unit.forks import Forks

FORKS = Forks(
    """
import hypothesis, numpy, pandas, pytest
import grader.judge.local, grader.judge.plugin
from grader.candidate import runner
runner.warm_up()
"""
)
PROGRAM = """
import sys, pytest
sys.exit(int(pytest.main(sys.argv[1:])))
"""


def run_pytest(*options: str) -> int:
    """Run pytest in a fork with the environment and folder of now; returns its exit code."""
    environment = dict(os.environ)
    return FORKS.run(PROGRAM, *options, folder=Path.cwd(), environment=environment).returncode
