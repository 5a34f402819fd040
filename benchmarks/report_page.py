"""How long the reviewer's page of the largest labelled solution takes to open in Chromium.

    python benchmarks/report_page.py [--rounds N]

Prints the best time of a blank page and of the report, in turns in one run, and the page's size;
asserts nothing. Needs what ``make test-browser`` installs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "unit"))
from sample_dossier import largest_dossier

from grader.report.html import reviewer_page


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    options = parser.parse_args()
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("no Chromium here: `make test-browser` installs it")
    html = reviewer_page(largest_dossier())
    best = {"blank": 1e9, "report": 1e9}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        for _ in range(options.rounds):
            for name, text in (("blank", "<h1>nothing"), ("report", html)):
                page = browser.new_page()
                clock = time.perf_counter()
                page.set_content(text, wait_until="load")
                page.locator("h1").wait_for()
                best[name] = min(best[name], time.perf_counter() - clock)
                page.close()
        browser.close()
    size = len(html.encode()) / 1000
    print(f"blank {best['blank']:.2f} s, report {best['report']:.2f} s, {size:.0f} kB")


if __name__ == "__main__":
    main()
