"""Fingerprints of the code of a stage. They do not change if only comments, docstrings or the layout change.

Each stage writes the fingerprints of its dependencies in src/ and configs/ to reports/code. tests/pipeline compares them with the present
code. It thus finds results of older code, even if somebody has recorded with `dvc commit` that nothing has changed.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

PIPELINE = Path("dvc.yaml")
RECORDS = Path("reports/code")
ROOTS = ("src/", "configs/")


def fingerprints(stage: str, root: Path = Path()) -> dict[str, str]:
    """Return a fingerprint of each dependency of a stage in src/ and configs/, as dvc.yaml in `root` lists them.

    Raises:
        KeyError: dvc.yaml has no such stage.
    """
    dependencies = yaml.safe_load((root / PIPELINE).read_text(encoding="utf-8"))["stages"][stage]["deps"]
    return {name: _fingerprint(root / name) for name in sorted(dependencies) if name.startswith(ROOTS)}


def _fingerprint(path: Path) -> str:
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file() and file.suffix != ".pyc")
    content = [[file.relative_to(path).as_posix(), _content(file)] for file in files]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _content(file: Path) -> Any:
    if file.suffix == ".py":
        return _tree(ast.parse(file.read_bytes()))
    if file.suffix == ".yaml":
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _tree(node: Any) -> Any:
    """Return a syntax tree as lists, without docstrings and positions.

    Empty fields are left out, because they differ between versions of Python. ast.dump would show them.
    """
    if isinstance(node, list):
        return [_tree(item) for item in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = list(_without_docstring(node.body))
    return [type(node).__name__, *([name, _tree(value)] for name, value in fields.items() if value not in (None, []))]


def _without_docstring(body: list[ast.stmt]) -> Iterable[ast.stmt]:
    first = body[0] if body else None
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return body[1:] if documented else body
