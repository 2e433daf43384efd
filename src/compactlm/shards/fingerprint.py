"""Fingerprints of everything except the input that a shard depends on: parameters, our code, and libraries that change texts."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
CODE = ("corpus", "shards", "text", "draws.py", "params", "artifacts.py")
LIBRARIES = ("ftfy", "nltk", "numpy", "phonenumbers", "py3langid", "pyarrow", "python-stdnum", "rensa")


def fingerprint(parameters: Any) -> str:
    """Return the sha256 over parameters (JSON values), the code of the data stages and the versions of libraries."""
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    versions |= {"python": f"{sys.version_info.major}.{sys.version_info.minor}", "unicode": unicodedata.unidata_version}
    digest = hashlib.sha256(json.dumps([parameters, versions], sort_keys=True).encode())
    for path in sorted(path for part in CODE for path in _python_files(PACKAGE / part)):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _python_files(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("*.py"))
