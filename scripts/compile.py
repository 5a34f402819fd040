"""Runs inside the image build: byte-compile a folder and make it readable for every user id."""

import compileall
import os
import py_compile
import sys

folder = sys.argv[1]
# Files that another Python version is meant for do not compile, and nobody imports them.
compileall.compile_dir(
    folder, quiet=2, workers=0, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
)
for parent, folders, files in os.walk(folder):
    for name in folders:
        os.chmod(os.path.join(parent, name), 0o755)
    for name in files:
        os.chmod(os.path.join(parent, name), 0o644)
