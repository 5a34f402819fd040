"""Runs in the candidate container: the supervisor and the runner that serves calls."""
