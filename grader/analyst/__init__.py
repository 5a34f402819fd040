"""Runs in the analyst container: reads a submission as text, never imports or runs it."""
