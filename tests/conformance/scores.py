"""The score that acceptance uses, loaded from the folder of shared vectors."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT / os.environ.get("PASSPORT_VECTORS", "../shared/vectors")


def load_score() -> ModuleType:
    """The module `score.py` of the vectors; the test is skipped where they are absent."""
    path = SHARED / "score.py"
    if not path.is_file():
        pytest.skip("PASSPORT_VECTORS has no score.py")
    spec = importlib.util.spec_from_file_location("passport_score", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
