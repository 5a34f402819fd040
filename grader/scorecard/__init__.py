"""Stages that people score: scorecards, the competency table, what answers amount to.

Door: `grader.scorecard.read.load_scorecards`.
"""
