"""A few cases of each target end without a finding, and each target takes some inputs and refuses others."""

import sys
from pathlib import Path

import pytest

from benchmarks.fuzz import commands, rows, running
from benchmarks.fuzz.__main__ import TARGETS, case_of
from benchmarks.fuzz.runner import fuzz
from compactlm.errors import CompactLMError

CASES = {"rows": 40, "settings": 30, "weights": 10}
CHANGED = ("params.yaml", "configs", "data/sources", "reports", "blind", "picked.jsonl")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def models(tmp_path_factory, student_root, export_root):
    """The tiny models in the layout of a run."""
    root = tmp_path_factory.mktemp("fuzzed")
    (root / "export").symlink_to(export_root)
    (root / "student").symlink_to(student_root)
    return root / "export"


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_cases_end_without_findings(name, models, tmp_path, monkeypatch):
    checkout, kept = tmp_path / "checkout", tmp_path / "kept"
    checkout.mkdir()
    monkeypatch.chdir(checkout)
    before = _listed(ROOT)
    cases = CASES.get(name, 20)
    tally = fuzz(name, case_of(name), models, 0, lambda done: done < cases, kept)
    assert tally.findings == []
    assert tally.cases == cases
    assert len(tally.ends) > 1
    assert list(checkout.iterdir()) == []
    assert _listed(ROOT) == before


def _listed(root):
    """What a command may change in a checkout: files and the times of their last changes."""
    return {path: path.stat().st_mtime_ns for name in CHANGED for path in [root / name, *(root / name).rglob("*")] if path.exists()}


@pytest.mark.parametrize("harm", ["a row is lost", "a traceback", "a garbled sentence"])
def test_the_target_rows_tells_what_is_wrong(tmp_path, monkeypatch, harm):
    def harmed(*_):
        if harm == "a traceback":
            raise KeyError("text")
        if harm == "a garbled sentence":
            error = CompactLMError("x")
            error.args = ("two\nlines",)
            raise error
        return type("Cleaned", (), {"kept": {}, "dropped": {}, "shards": []})

    monkeypatch.setattr(rows, "clean_corpus", harmed)
    tally = fuzz("rows", rows.case, tmp_path, 0, lambda done: done < 20, tmp_path / "kept")
    assert tally.findings
    assert tally.cases == 20


@pytest.mark.parametrize("harm", ["a line is lost", "a traceback", "two sentences", "an odd status"])
def test_the_target_commands_tells_what_is_wrong(tmp_path, monkeypatch, harm):
    def harmed():
        if harm == "a traceback":
            raise ValueError("text")
        if harm == "two sentences":
            sys.stderr.write("compactlm: \x1b[1m\n")
        raise SystemExit({"two sentences": 1, "an odd status": 77}.get(harm, 0))

    monkeypatch.setattr(running, "main", harmed)
    tally = fuzz("commands", commands.case, tmp_path, 0, lambda done: done < 40, tmp_path / "kept")
    assert tally.findings
    assert (tally.cases, len(tally.findings) < 40) == (40, harm == "a line is lost")
