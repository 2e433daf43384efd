"""The files of `compactlm page` are written in one step, or not at all."""

from pathlib import Path

import pytest

from compactlm.errors import CompactLMError
from compactlm.serving.browser.writing import write, write_folder


@pytest.mark.parametrize("path", [".", ".."])
def test_a_page_cannot_replace_a_directory(tmp_path, monkeypatch, path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here/kept.txt").write_text("kept")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(CompactLMError, match=r"cannot be written \(.+\); pass another file with --output"):
        write(Path(path), "<!doctype html>")
    with pytest.raises(CompactLMError, match=r"holds something else than a page; pass a new directory with --folder"):
        write_folder(Path(path), {"index.html": b"x"})
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "here", tmp_path / "here/kept.txt"]


def test_an_empty_working_directory_is_no_folder_for_a_page(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(CompactLMError, match=r"cannot be written"):
        write_folder(Path(), {"index.html": b"x"})
    assert list(tmp_path.rglob("*")) == [tmp_path / "here"]
