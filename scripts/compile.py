"""Runs inside the image build: byte-compile a folder and make it readable for every user id."""

import compileall
import pathlib
import py_compile
import sys

folder = sys.argv[1]
# Files that another Python version is meant for do not compile, and nobody imports them.
compileall.compile_dir(
    folder, quiet=2, workers=0, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
)
for path in pathlib.Path(folder).rglob("*"):
    path.chmod(0o755 if path.is_dir() else 0o644)
