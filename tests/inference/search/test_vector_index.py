import os

import numpy as np
import pytest

from compactlm.bert.arrays import unit
from compactlm.errors import CompactLMError
from compactlm.inference.search.vector_index import ABOUT, ENTRIES, VECTORS, open_index


@pytest.fixture
def counted():
    """Functions that return entries and their vectors, the vectors, and the number of calls of each function."""
    calls = {"entries": 0, "embed": 0}
    generator = np.random.default_rng(0)
    vectors = unit(generator.normal(size=(300, 16)))

    def entries():
        calls["entries"] += 1
        return [{"text": f"entry {number} \U0001f600", "line": number} for number in range(300)]

    def embed(texts):
        calls["embed"] += 1
        return vectors[: len(texts)]

    return entries, embed, vectors, calls


def test_search_is_exact(tmp_path, counted):
    entries, embed, vectors, _ = counted
    index = open_index(tmp_path / "index", "a", entries, embed)
    assert len(index) == 300
    query = unit(np.random.default_rng(1).normal(size=(1, 16)))[0]
    hits = index.search(query, 5)
    expected = np.argsort(-(vectors @ query))[:5]
    assert [hit.entry["line"] for hit in hits] == expected.tolist()
    assert [hit.entry["text"] for hit in hits] == [f"entry {number} \U0001f600" for number in expected]
    np.testing.assert_allclose([hit.score for hit in hits], (vectors @ query)[expected], atol=1e-5)
    assert len(index.search(query, 1000)) == 300


def test_equal_scores_keep_the_order_of_the_entries(tmp_path):
    vectors = np.repeat(np.eye(4, dtype=np.float32)[[1, 0, 1]], 20, axis=0)
    index = open_index(tmp_path / "index", "a", lambda: [{"text": "", "line": line} for line in range(60)], lambda _: vectors)
    assert [hit.entry["line"] for hit in index.search(vectors[0], 30)] == [*range(20), *range(40, 50)]


def test_an_index_is_rebuilt_for_another_fingerprint(tmp_path, counted):
    entries, embed, vectors, calls = counted
    for fingerprint, builds in (("a", 1), ("a", 1), ("b", 2), ("b", 2)):
        index = open_index(tmp_path / "index", fingerprint, entries, embed)
        assert calls == {"entries": builds, "embed": builds}
        assert index.search(vectors[7], 1)[0].entry["line"] == 7
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_a_change_of_width_is_announced(tmp_path, counted, caplog):
    entries, embed, _, _ = counted
    open_index(tmp_path / "index", "a", entries, embed)
    open_index(tmp_path / "index", "b", entries, embed)
    assert not caplog.messages
    index = open_index(tmp_path / "index", "c", entries, lambda texts: embed(texts)[:, :8])
    assert index.vectors.shape == (300, 8)
    assert caplog.messages == [
        f"the index in {tmp_path / 'index'} is built again, because its vectors had 16 numbers and those of this model have 8"
    ]


@pytest.mark.parametrize("name", [VECTORS, ENTRIES, ABOUT])
def test_a_damaged_index_is_rebuilt(tmp_path, counted, name):
    entries, embed, vectors, calls = counted
    open_index(tmp_path / "index", "a", entries, embed)
    path = tmp_path / "index" / name
    path.write_bytes(path.read_bytes()[:-30])
    assert open_index(tmp_path / "index", "a", entries, embed).search(vectors[3], 1)[0].entry["line"] == 3
    assert calls["embed"] == 2


@pytest.mark.parametrize("name", [VECTORS, ENTRIES, ABOUT])
@pytest.mark.parametrize("place", [0.3, 0.6, 0.99])
def test_an_index_with_a_flipped_bit_is_rebuilt(tmp_path, counted, name, place):
    entries, embed, vectors, calls = counted
    open_index(tmp_path / "index", "a", entries, embed)
    path = tmp_path / "index" / name
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 4
    path.write_bytes(content)
    hits = open_index(tmp_path / "index", "a", entries, embed).search(vectors[3], 300)
    assert [hit.entry for hit in sorted(hits, key=lambda hit: hit.entry["line"])] == entries()
    assert calls["embed"] == 2


def test_an_unwritable_directory_is_named(tmp_path, counted):
    (tmp_path / "file").write_text("")
    with pytest.raises(CompactLMError, match=r"cannot be written to .*index .* COMPACTLM_CACHE"):
        open_index(tmp_path / "file" / "index", "a", *counted[:2])


def test_an_open_index_survives_a_rebuild(tmp_path, counted):
    entries, embed, vectors, _ = counted
    index = open_index(tmp_path / "index", "a", entries, embed)
    open_index(tmp_path / "index", "b", lambda: [{"text": "another", "line": 1}], embed)
    assert [hit.entry["line"] for hit in index.search(vectors[299], 1)] == [299]


def test_two_processes_can_build_an_index_at_once(tmp_path, counted, monkeypatch):
    entries, embed, vectors, _ = counted
    replace = os.replace

    def late(source, target):
        monkeypatch.setattr(os, "replace", replace)
        open_index(tmp_path / "index", "a", entries, embed)  # the other process
        replace(source, target)

    monkeypatch.setattr(os, "replace", late)
    assert open_index(tmp_path / "index", "a", entries, embed).search(vectors[7], 1)[0].entry["line"] == 7
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


@pytest.mark.parametrize("name", ["one.txt", ABOUT])
def test_other_files_are_not_overwritten(tmp_path, counted, name):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / name).write_text("{}")
    (tmp_path / "letters" / "one.txt").write_text("dear")
    with pytest.raises(CompactLMError, match=r"letters has files .* --index"):
        open_index(tmp_path / "letters", "a", *counted[:2])
    assert (tmp_path / "letters" / "one.txt").read_text() == "dear"
    (tmp_path / "empty").mkdir()
    assert len(open_index(tmp_path / "empty", "a", *counted[:2])) == 300
