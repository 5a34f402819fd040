"""Serve the document classifier. The task is in README.md, the model in inference.py."""

from __future__ import annotations

from fastapi import FastAPI


def create_app(timeout: float = 2.0, max_entries: int = 1000) -> FastAPI:
    """Make the application.

    Args:
        timeout: seconds until a request without an answer gets its 504.
        max_entries: number of answers that the cache holds.
    """
    raise NotImplementedError
