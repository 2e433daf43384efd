"""score, compared with the same model in Python."""

import json

import pytest


def test_scores(cli, lm, tmp_path, tiny_texts, table):
    lines = [*tiny_texts[:30], "", "\U0001f600", "dog\tand cat"]
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(lines))
    expected = [one.score for one in lm.score_all(lines)]
    for more in ((), ("--line-buffered",)):
        status, output, errors = cli("score", "--file", path, *more)
        assert (status, "of 2 texts at least half is unknown" in errors) == (0, True)
        assert [row[1] for row in table(output)] == [*lines[:-1], "dog and cat"]
        assert [float(row[0]) for row in table(output)] == pytest.approx(expected, abs=1e-4)
    assert float(cli("score", tiny_texts[0])[1]) == pytest.approx(expected[0], abs=1e-3)
    found = json.loads(cli("score", "dog " * 100, "--json")[1])
    assert found == {"score": pytest.approx(lm.score("dog " * 100).score, abs=1e-5), "cut": True, "unknown": False}


def test_a_broken_line_has_no_score(cli, table):
    status, output, errors = cli("score", "-", "--field", "m", given=b'{"m": "dog"}\n{"m": 3}\n')
    assert status == 1
    assert [len(row) for row in table(output)] == [2, 2]
    assert output.endswith("\n\t\n")
    assert "line 2: it has no text in the field 'm'" in errors
