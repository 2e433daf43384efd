import pytest

from compactlm.blind.votes import read_key, read_votes
from compactlm.errors import CompactLMError
from tests.blind.voting import save, vote


@pytest.fixture
def key(compare):
    return compare().key


@pytest.fixture
def votes(key):
    return vote(key, lambda at: "both", lambda at: "neither")


def test_votes_are_sorted_by_judge(key, tmp_path):
    paths = [save(tmp_path, vote(key, lambda at: "both", lambda at: "teacher", judge, range(3))) for judge in ("bo", "ann")]
    found = read_votes(paths, key)
    assert [(one.judge, len(one.votes)) for one in found] == [("ann", 3), ("bo", 3)]
    assert found[0].by_pair()[2].teacher == ("left" if key.pairs[2].left == "teacher" else "right")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"page": "0123"}, "another page"),
        ({"votes": [{"pair": 36, "right": "left", "teacher": "left"}]}, "pair 36, but the page has 36 pairs"),
        ({"votes": [{"pair": 1, "right": "left", "teacher": "left"}] * 2}, "two votes on one pair"),
        ({"votes": [{"pair": 1, "right": "left", "teacher": "both"}]}, "votes.0.teacher"),
        ({"votes": [{"pair": -1, "right": "left", "teacher": "left"}]}, "votes.0.pair"),
        ({"judge": ""}, "judge"),
        ({"more": 1}, "more"),
    ],
)
def test_wrong_votes_are_one_sentence(key, votes, tmp_path, change, message):
    with pytest.raises(CompactLMError, match=message):
        read_votes([save(tmp_path, votes | change)], key)


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b"[" * 100_000, b"3", b"1" * 5_000])
def test_a_file_of_something_else_is_one_sentence(key, tmp_path, content):
    path = tmp_path / "votes.json"
    path.write_bytes(content)
    with pytest.raises(CompactLMError, match="not a file of votes"):
        read_votes([path], key)
    with pytest.raises(CompactLMError, match="not a key"):
        read_key(path)


def test_a_judge_has_one_file(key, votes, tmp_path):
    with pytest.raises(CompactLMError, match="both hold votes of 'ann'"):
        read_votes([save(tmp_path, votes), save(tmp_path, votes, "again")], key)


def test_missing_files_are_one_sentence(key, tmp_path):
    with pytest.raises(CompactLMError, match=r"none\.json is missing"):
        read_votes([tmp_path / "none.json"], key)
    with pytest.raises(CompactLMError, match="--key"):
        read_key(tmp_path / "none.json")
