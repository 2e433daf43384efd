import pytest

from compactlm.errors import CompactLMError
from compactlm.inference.search.thresholds import DEFAULT, FILE, Thresholds, read_thresholds, write_thresholds


def test_thresholds_are_read_back(tmp_path):
    assert read_thresholds(tmp_path) == DEFAULT
    found = Thresholds(pair=0.61, passage=-0.2, wrong_answers=0.1)
    write_thresholds(tmp_path, found)
    assert read_thresholds(tmp_path) == found


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pair": 2, "passage": 0, "wrong_answers": 0.1}', '{"pair": "x", "passage": 0}'])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    with pytest.raises(CompactLMError, match="is damaged"):
        read_thresholds(tmp_path)
