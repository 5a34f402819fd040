"""Pages that need nothing but a browser: no network, no script, one file each."""

from __future__ import annotations

from grader.report.html.page import feedback_page, reviewer_page

__all__ = ["feedback_page", "reviewer_page"]
