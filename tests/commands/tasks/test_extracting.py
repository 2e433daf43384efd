"""extract, compared with the same model in Python."""

import json
import re

import pytest

PASSAGE = "\u00c9t\u00e9 was warm.\r\nThe old dog played with a cat by the river,\tand young people loved the music.\n"


@pytest.fixture
def article(tmp_path):
    path = tmp_path / "article.txt"
    path.write_bytes(PASSAGE.encode())
    return path


@pytest.fixture
def questions(lm, tiny_texts):
    """Questions. The tiny model answers some of them, but not all."""
    found = [lm.extract(text, PASSAGE).answer for text in tiny_texts[:30]]
    assert None in found
    assert any(found)
    return tiny_texts[:30]


def test_the_answer_is_shown_with_its_place(cli, lm, article, questions):
    for question in questions[:12]:
        one = lm.extract(question, PASSAGE)
        status, output, errors = cli("extract", "--question", question, "--context", article)
        assert (status, errors) == (0, "")
        if one.answer is None:
            assert output == f"no answer  ({one.score:.2f})\n"
        else:
            shown = re.sub(r"[\t\r\n]", " ", one.answer)
            assert output == f"{shown}  ({one.score:.2f}, characters {one.start:,} to {one.end:,})\n"
        found = json.loads(cli("extract", "-q", question, "-c", article, "--json")[1])
        assert (found["answer"], found["start"], found["end"]) == (one.answer, one.start, one.end)
        # Line breaks of the file are as they are in the file, so that its characters can be counted.
        assert found["answer"] is None or PASSAGE[found["start"] : found["end"]] == found["answer"]


def test_each_question_of_a_file_has_one_line(cli, lm, tmp_path, article, questions):
    path = tmp_path / "questions.txt"
    lines = [*questions, ""]
    path.write_text("\n".join(lines) + "\n")
    expected = list(lm.extract_all((line, PASSAGE) for line in lines))
    for more in ((), ("--line-buffered",)):
        status, output, _ = cli("extract", "--file", path, "--context", article, *more)
        assert status == 0
        rows = [line.split("\t") for line in output.split("\n")[:-1]]
        assert [(row[0], row[2], row[3], row[4]) for row in rows] == [
            ("", "", "", line) if one.answer is None else (re.sub(r"[\t\r\n]", " ", one.answer), str(one.start), str(one.end), line)
            for one, line in zip(expected, lines, strict=True)
        ]
        assert [float(row[1]) for row in rows] == pytest.approx([one.score for one in expected], abs=1e-3)


def test_questions_and_passages_of_lines_of_json(cli, lm, tmp_path, questions):
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps({"question": question, "p": PASSAGE}) for question in questions]
    path.write_text("\n".join([*lines, json.dumps({"question": "where?"})]) + "\n")
    status, output, errors = cli("extract", "--file", path, "--context-field", "p", "--json")
    assert status == 1
    answers = [json.loads(line) for line in output.splitlines()]
    assert [answer["answer"] for answer in answers[:-1]] == [one.answer for one in lm.extract_all((text, PASSAGE) for text in questions)]
    assert answers[-1] == {"error": "it has no text in the field 'p'"}
    assert errors.startswith("compactlm: 1 lines could not be read and have no answer (line 31: it has no text in the field 'p')")
    given = json.dumps({"q": questions[0]}).encode()
    path.write_text(PASSAGE)
    status, output, _ = cli("extract", "--file", "-", "--field", "q", "--context", path, "--json", given=given)
    assert (status, json.loads(output)["answer"]) == (0, lm.extract(questions[0], PASSAGE).answer)
