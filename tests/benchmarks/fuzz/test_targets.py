"""A few cases of each target end without a finding, and each target takes some inputs and refuses others."""

from pathlib import Path

import pytest

from benchmarks.fuzz import commands, rows
from benchmarks.fuzz.__main__ import TARGETS, case_of
from benchmarks.fuzz.runner import fuzz
from compactlm.errors import CompactLMError

CASES = {"rows": 40, "settings": 30, "weights": 10}
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
    monkeypatch.chdir(ROOT)
    cases = CASES.get(name, 20)
    tally = fuzz(name, case_of(name), models, 0, lambda done: done < cases, tmp_path)
    assert tally.findings == []
    assert tally.cases == cases
    assert len(tally.ends) > 1


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
            commands.sys.stderr.write("compactlm: \x1b[1m\n")
        raise SystemExit({"two sentences": 1, "an odd status": 77}.get(harm, 0))

    monkeypatch.setattr(commands, "main", harmed)
    tally = fuzz("commands", commands.case, tmp_path, 0, lambda done: done < 40, tmp_path / "kept")
    assert tally.findings
    assert (tally.cases, len(tally.findings) < 40) == (40, harm == "a line is lost")
