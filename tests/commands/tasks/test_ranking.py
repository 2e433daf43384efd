"""rerank, compared with the same model in Python."""

import json

import pytest


def test_passages_are_ordered(cli, lm, tmp_path, tiny_texts, table):
    path = tmp_path / "passages.txt"
    path.write_text("\n".join(tiny_texts[:25]) + "\n")
    expected = lm.rerank("was it good?", tiny_texts[:25])
    status, output, errors = cli("rerank", "was it good?", "--file", path)
    assert (status, errors) == (0, "")
    assert [(int(number), text) for _, number, text in table(output)] == [(one.index + 1, one.text) for one in expected]
    assert [float(score) for score, _, _ in table(output)] == pytest.approx([one.score for one in expected], abs=1e-3)
    rows = json.loads(cli("rerank", "was it good?", "--file", path, "--top", "2", "--label", "no", "--json")[1])
    assert [(row["line"], row["text"]) for row in rows] == [(one.index + 1, one.text) for one in expected[:-3:-1]]


def test_passages_come_from_standard_input(cli, table):
    status, output, errors = cli("rerank", "was it good?", "--file", "-", given=b"a dog\nb\xffd\n")
    assert status == 0
    assert sorted(row[1] for row in table(output)) == ["1", "2"]
    assert "U+FFFD in 1 lines" in errors
