"""Many submissions at once: found, matched with a roster, each graded once, in one table."""

from __future__ import annotations
