import pickle

import pytest

from compactlm.commands.terminal import notice
from compactlm.errors import CompactLMError, needs, readable
from compactlm.pipeline.notices import tell
from compactlm.text.formats.delimited import csv_cells


def test_a_message_is_one_short_printable_line() -> None:
    assert str(CompactLMError("caf\u00e9: there is no column 'x'")) == "caf\u00e9: there is no column 'x'"
    assert str(CompactLMError("a\x00b\x1b[1mc\nd\u202e")) == "a\ufffdb\ufffd[1mc d\ufffd"
    long = str(CompactLMError(f"FILE has {'x' * 50_000}; fix it"))
    assert len(long) < 1_000
    assert (long[:6], long[-8:]) == ("FILE h", "; fix it")
    assert str(pickle.loads(pickle.dumps(CompactLMError("from another process")))) == "from another process"  # noqa: S301


def test_notices_and_warnings_are_made_readable_by_the_same_function(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    notice("a\x1b[1m\nb")
    tell("clean", ["c\x00d"])
    list(csv_cells(["text\n", '"a\n', *["b\n"] * 120, '"\n'], "rows\x07.csv", ","))
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["compactlm: a\ufffd[1m b", "clean: c\ufffdd"]
    assert "warning: rows\ufffd.csv has a row from line 2 to line 123" in told[2]
    assert told == [readable(line) for line in told]
    assert (tmp_path / "reports/notices/clean.txt").read_text() == "c\ufffdd\n"


def test_a_missing_package_names_its_extra() -> None:
    with (
        pytest.raises(CompactLMError, match=r"^indexing .*no_such_package.*compactlm\[train\]"),
        needs("train", "indexing"),
    ):
        import no_such_package  # noqa: F401


def test_a_missing_module_of_compactlm_names_no_extra() -> None:
    with pytest.raises(ModuleNotFoundError), needs("train", "indexing"):
        import compactlm.no_such_module  # noqa: F401
