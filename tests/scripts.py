"""Scripts of this checkout as modules, to test them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "scripts"


def load(name: str, folder: Path = FOLDER) -> Any:
    """``<folder>/<name>.py`` as the module `name`; without a folder, one of ``scripts/``."""
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its data classes look themselves up there
    spec.loader.exec_module(module)
    return module
