from pathlib import Path

import pytest

from compactlm.pipeline.notices import read_notices, tell


def test_notices_are_printed_and_kept_for_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tell("clean", ["one", "two"])
    tell("split", [])
    assert capsys.readouterr().err.splitlines() == ["clean: one", "clean: two"]
    assert read_notices() == ["one", "two"]
