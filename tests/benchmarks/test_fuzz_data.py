from pathlib import Path

import pytest

from benchmarks import fuzz_data
from compactlm.errors import CompactLMError


@pytest.mark.slow
def test_rounds_end_without_findings(tmp_path: Path) -> None:
    ends, findings = fuzz_data.fuzz(0, lambda done: done < 40, tmp_path)
    assert findings == []
    assert ends.total() == 40
    assert ends["clean"] > 5
    assert len(ends) > 5


@pytest.mark.parametrize("harm", ["a row is lost", "a traceback", "a garbled sentence"])
def test_the_file_of_a_finding_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    def harmed(*_: object) -> object:
        if harm == "a traceback":
            raise KeyError("text")
        if harm == "a garbled sentence":
            error = CompactLMError("x")
            error.args = ("two\nlines",)
            raise error
        return type("Cleaned", (), {"kept": {}, "dropped": {}, "shards": []})

    monkeypatch.setattr(fuzz_data, "clean_corpus", harmed)
    ends, findings = fuzz_data.fuzz(0, lambda done: done < 20, tmp_path / "kept")
    assert findings
    assert ends.total() + len(findings) == 20
    assert len(list((tmp_path / "kept").iterdir())) == len(findings)
