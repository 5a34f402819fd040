"""Starters: the folder that a candidate begins with, made from an exercise's public part only."""

from __future__ import annotations

from grader.starter.build import Starter, build, handed_out
from grader.starter.deliver import deliver

__all__ = ["Starter", "build", "deliver", "handed_out"]
