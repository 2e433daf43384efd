"""Data stages run without torch, which takes seconds to load in each of their processes."""

import subprocess
import sys

SCRIPT = """
import importlib, pkgutil, sys
for room in ("corpus", "shards", "text"):
    for module in pkgutil.walk_packages(importlib.import_module(f"compactlm.{room}").__path__, f"compactlm.{room}."):
        if not module.name.startswith("compactlm.corpus.augment"):  # nlpaug imports torch wherever it is installed
            importlib.import_module(module.name)
print([name for name in ("torch", "transformers", "nlpaug") if name in sys.modules])
"""
LIGHT = """
import sys
import compactlm.draws, compactlm.text.lines, compactlm.text.sentences, compactlm.text.unicode
print([name for name in ("pyarrow", "nltk", "torch") if name in sys.modules])
"""


def test_rooms_of_data_import_no_torch_and_readers_of_lines_import_little():
    for script in (SCRIPT, LIGHT):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout == "[]\n"
