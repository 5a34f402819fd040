"""Put a real scorecard into README.md: grade the bundled mediocre solution, paste the result."""

from __future__ import annotations

import io
import re
import sys
import tempfile
from pathlib import Path

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


if __name__ == "__main__":
    main()
