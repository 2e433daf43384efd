"""The runner of the fuzzers tells each kind of finding, keeps its files, and goes on after it."""

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from benchmarks.fuzz import runner
from benchmarks.fuzz.__main__ import add_to_report
from benchmarks.fuzz.runner import Tally, check_sentence, fuzz


def run(case, tmp_path, cases=6):
    return fuzz("mine", case, tmp_path, 10, lambda done: done < cases, tmp_path / "kept")


def test_cases_without_a_finding_are_counted_by_their_result(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "CASES", 4)  # so that two children share the cases
    seen = run(lambda rng, directory, models: f"{rng.random():.3f}", tmp_path)
    again = run(lambda rng, directory, models: f"{rng.random():.3f}", tmp_path)
    assert (seen.cases, len(seen.ends), seen.findings) == (6, 6, [])
    assert seen.ends == again.ends
    assert not (tmp_path / "kept").exists()


def test_a_case_works_in_its_own_directory(tmp_path, monkeypatch):
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")

    def case(rng, directory, models):
        Path("data/sources").mkdir(parents=True)
        return str((directory / "data/sources").is_dir())

    assert run(case, tmp_path).ends == {"True": 6}
    assert list((tmp_path / "checkout").iterdir()) == []
    assert Path.cwd() == tmp_path / "checkout"


def test_git_finds_no_repository_around_a_case(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)

    def case(rng, directory, models):
        return str(subprocess.run(["git", "rev-parse"], capture_output=True, check=False).returncode)

    assert run(case, tmp_path, 1).ends == {"128": 1}


def spin(*_):
    while True:
        pass


def harms():
    def traceback(*_):
        raise KeyError("text")

    def panic(*_):
        raise BaseException("panicked")

    def crash(*_):
        os.kill(os.getpid(), signal.SIGSEGV)

    return {"KeyError: 'text'": traceback, "panicked": panic, "ended by SIGSEGV": crash, "took too long": spin}


@pytest.mark.parametrize(("description", "harm"), harms().items(), ids=harms().keys())
def test_a_finding_is_told_and_its_files_are_kept(description, harm, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "SECONDS", 1)

    def case(rng, directory, models):
        (directory / "input").write_text("odd")
        if (tmp_path / "harmed").exists():
            return "taken"
        (tmp_path / "harmed").touch()
        return harm(rng, directory, models)

    tally = run(case, tmp_path)
    [(seed, finding)] = tally.findings
    assert seed == 10
    assert description in finding
    assert tally.ends == {"taken": 5}
    assert (tmp_path / "kept/mine/10/input").read_text() == "odd"
    assert description in (tmp_path / "kept/mine/10/finding.txt").read_text()


@pytest.mark.parametrize("sentence", ["", "two\nlines", "x" * 1_001, "\x1b[1m"])
def test_a_garbled_sentence_is_a_finding(sentence):
    with pytest.raises(AssertionError, match="not a readable sentence"):
        check_sentence(sentence)


def test_the_report_adds_up(tmp_path):
    path = tmp_path / "fuzz.json"
    for _ in range(2):
        tally = Tally(90.0)
        tally.ends["taken"] = 4
        tally.findings.append((1, "x"))
        add_to_report(path, {"rows": tally})
    report = json.loads(path.read_text())
    assert report["targets"] == {"rows": {"minutes": 3.0, "cases": 10, "findings": 2}}
    assert (report["minutes"], report["cases"], report["findings"]) == (3.0, 10, 2)
