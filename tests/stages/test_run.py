import errno
import re
import sqlite3
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from compactlm.artifacts import read_json
from compactlm.errors import CompactLMError
from compactlm.params import Params
from compactlm.pipeline.code import fingerprints
from compactlm.pipeline.run import run

FULL_DISK = Exception("Error while serializing: I/O error: No space left on device (os error 28)")


def sqlite_error(code):
    """Return an error as SQLite raises it, for example in the caches of DVC."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    return error


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch, default_params):
    (tmp_path / "params.yaml").write_text(default_params)
    monkeypatch.chdir(tmp_path)


def exit_code(error):
    """Run a stage that raises `error` and return the code of the exit."""

    def stage(params):
        raise error

    with pytest.raises(SystemExit) as caught:
        run("clean", stage)
    return caught.value.code


def test_parameters_are_checked_before_the_stage_runs(default_params):
    given = []
    run("clean", given.append)
    assert isinstance(given[0], Params)

    def stage(params):
        pytest.fail("the stage ran")

    Path("params.yaml").write_text(default_params.replace("seed:", "sed:"))
    with pytest.raises(SystemExit, match=r"^clean: params\.yaml: .*sed is not a known parameter"):
        run("clean", stage)
    Path("params.yaml").unlink()
    with pytest.raises(SystemExit, match=r"^clean: params\.yaml is missing; run `make train`"):
        run("clean", stage)


@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (CompactLMError("the file is gone; put it back"), "the file is gone; put it back"),
        (OSError(errno.ENOSPC, "No space left on device", "data/clean/part"), "no space .* while writing data/clean/part; free some"),
        (OSError(errno.ENOSPC, "No space left on device", "source", None, "target"), "no space .* while writing target; free some"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "no space .* while writing an artifact; free some"),
        (OSError(errno.EROFS, "Read-only file system", ".cache/downloads"), ".cache/downloads is on a file system that is read-only; make"),
        (sqlite_error(sqlite3.SQLITE_FULL), "no space .* while writing an artifact; free some"),
        (sqlite_error(sqlite3.SQLITE_READONLY_DIRECTORY), "an artifact is on a file system that is read-only; make"),
        (FULL_DISK, "no space .* while writing an artifact; free some"),
    ],
)
def test_an_error_that_a_user_can_fix_is_one_sentence(error, facts):
    # sys.exit with a text prints it to stderr and exits with status 1, without a traceback.
    assert re.match(f"clean: {facts}", exit_code(error))
    assert exit_code(KeyboardInterrupt()) == 130


def test_libraries_name_system_errors_by_number(tmp_path):
    # A missing directory replaces a full disk, which a test cannot create.
    with pytest.raises(Exception, match=rf"\(os error {errno.ENOENT}\)"):
        save_file({"a": torch.zeros(1)}, tmp_path / "no such directory" / "model.safetensors")


@pytest.mark.parametrize(
    "error", [PermissionError(errno.EACCES, "denied"), sqlite_error(sqlite3.SQLITE_CORRUPT), RuntimeError("no space for a bug")]
)
def test_a_bug_keeps_its_traceback(error):
    def stage(params):
        raise error

    with pytest.raises(type(error)):
        run("clean", stage)


def test_a_finished_stage_records_its_code(tmp_path, monkeypatch):
    Path("dvc.yaml").write_text("stages: {clean: {cmd: x, deps: [data/raw, src/clean.py]}}\n")
    Path("src").mkdir()
    code, record = Path("src/clean.py"), Path("reports/code/clean.json")
    code.write_text("RATE = 1\n")
    exit_code(CompactLMError("not now; try again"))
    assert not record.exists()
    monkeypatch.setenv("RANK", "1")  # one of several training processes, but not the first
    run("clean", lambda params: None)
    assert not record.exists()
    monkeypatch.setenv("RANK", "0")
    expected = fingerprints("clean")
    run("clean", lambda params: code.write_text("RATE = 2\n"))
    assert set(read_json(record)) == {"src/clean.py"}
    assert read_json(record) == expected != fingerprints("clean")
