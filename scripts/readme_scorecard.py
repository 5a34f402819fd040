"""Put a real scorecard and a picture of the report into README.md.

Grades the bundled mediocre solution. Needs Docker, and Chromium as `make test-browser` installs it.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console

from grader import pipeline
from grader.report import terminal

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Rewrite the block between the two markers."""
    with tempfile.TemporaryDirectory() as out:
        report = pipeline.grade(
            ROOT / "hidden_tests/imputation/solutions/mediocre",
            root=ROOT,
            exercise="imputation",
            out=Path(out),
            seed="5eed" * 8,
            say=print,
        )
        (folder,) = (path for path in Path(out).iterdir() if path.is_dir())
        _picture(folder / "report.html")
    console = Console(file=io.StringIO(), width=80, color_system=None, legacy_windows=False)
    with console.capture() as shown:
        terminal.render(report, console)
    lines = [line.rstrip() for line in shown.get().strip().splitlines()]
    block = "<!-- scorecard -->\n```text\n" + "\n".join(lines) + "\n```\n<!-- /scorecard -->"
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    pattern = re.compile("<!-- scorecard -->.*<!-- /scorecard -->", re.DOTALL)
    if not pattern.search(text):
        sys.exit("README.md has no scorecard markers")
    readme.write_text(pattern.sub(lambda _: block, text), encoding="utf-8")


def _picture(page: Path) -> None:
    """The first screen of the reviewer's report."""
    target = ROOT / "docs/images/report.png"
    target.parent.mkdir(exist_ok=True)
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        view = browser.new_page(viewport={"width": 1180, "height": 900}, offline=True)
        view.goto(page.as_uri())
        view.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    main()
