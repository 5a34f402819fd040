"""Starters: the folder that a candidate begins with, made from an exercise's public part only."""

from __future__ import annotations

from grader.starter.build import Starter, build
from grader.starter.deliver import deliver

__all__ = ["Starter", "build", "deliver"]
