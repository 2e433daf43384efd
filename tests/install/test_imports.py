"""Modules and tests of text and tables do not import torch, which takes seconds to load in each process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Not tests/corpus/augment: nlpaug itself imports torch.
FOLDERS = ["tests/corpus/clean", "tests/corpus/duplicates", "tests/corpus/ingest", "tests/corpus/split", "tests/shards", "tests/text"]
TESTS = """
import sys
import pytest

status = pytest.main(["-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", *sys.argv[1:]])
loaded = {"torch", "transformers", "nlpaug"} & set(sys.modules)
sys.exit(f"imported: {sorted(loaded)}" if loaded else status)
"""
DATA = """
import importlib, pkgutil, sys
for room in ("corpus", "shards", "text"):
    for module in pkgutil.walk_packages(importlib.import_module(f"compactlm.{room}").__path__, f"compactlm.{room}."):
        if not module.name.startswith("compactlm.corpus.augment"):  # nlpaug imports torch wherever it is installed
            importlib.import_module(module.name)
print([name for name in ("torch", "transformers", "nlpaug") if name in sys.modules])
"""
LINES = """
import sys
import compactlm.draws, compactlm.text.formats.lines, compactlm.text.sentences, compactlm.text.unicode
print([name for name in ("pyarrow", "nltk", "torch") if name in sys.modules])
"""
LOOP = """
import sys
from compactlm.commands.improvement import labelling, picking, watching
import compactlm.improvement.drift.captured, compactlm.improvement.drift.showing, compactlm.improvement.drift.watching
import compactlm.improvement.labelling.agreement, compactlm.improvement.labelling.imports, compactlm.improvement.labelling.prompt
import compactlm.improvement.picking.picking, compactlm.improvement.reference
print([name for name in ("pyarrow", "pydantic", "scipy", "sklearn", "torch") if name in sys.modules])
"""
PACKAGE = """
import sys
import compactlm
print([name for name in ("numpy", "tokenizers", "typer", "torch") if name in sys.modules])
"""


@pytest.mark.parametrize("script", [DATA, LINES, LOOP, PACKAGE], ids=["data stages", "readers of lines", "the loop", "the package"])
def test_modules_import_no_heavy_packages(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_tests_of_the_corpus_import_no_torch():
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    environment["USE_TORCH"] = "0"  # for datasets, which otherwise imports torch itself
    command = [sys.executable, "-c", TESTS, *FOLDERS]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.slow
def test_a_model_in_use_writes_no_files_and_keeps_no_identity(export_root, tmp_path):
    # ONNX Runtime's telemetry keeps an identifier and a database in the user's cache directory.
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    command = [sys.executable, "-m", "compactlm.cli", "classify", "good", "--model", str(export_root)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
