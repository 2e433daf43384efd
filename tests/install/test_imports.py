"""Tests of text and tables run without torch, so that they start in a second."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Not tests/corpus/augment: nlpaug itself imports torch.
FOLDERS = ["tests/corpus/clean", "tests/corpus/duplicates", "tests/corpus/ingest", "tests/corpus/split", "tests/shards", "tests/text"]
SCRIPT = """
import sys
import pytest

status = pytest.main(["-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", *sys.argv[1:]])
loaded = {"torch", "transformers", "nlpaug"} & set(sys.modules)
sys.exit(f"imported: {sorted(loaded)}" if loaded else status)
"""


@pytest.mark.slow
def test_tests_of_the_corpus_import_no_torch():
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    environment["USE_TORCH"] = "0"  # for datasets, which otherwise imports torch itself
    command = [sys.executable, "-c", SCRIPT, *FOLDERS]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
