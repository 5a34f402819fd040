"""Runs inside the image build: byte-compile a folder and make it readable for every user id."""

import compileall
import pathlib
import py_compile
import sys


def main(folder: str) -> None:
    """Compile on every core; Python 3.13 starts the helping processes by importing this file."""
    # Files that another Python version is meant for do not compile, and nobody imports them.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder, quiet=2, workers=0, invalidation_mode=mode)
    for path in pathlib.Path(folder).rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


if __name__ == "__main__":
    main(sys.argv[1])
