import json

import pytest


@pytest.fixture
def faq(tmp_path):
    path = tmp_path / "faq.jsonl"
    rows = [{"question": "was the film good?", "answer": "very good"}, {"question": "a dog by the river", "answer": "warm"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    return path


def test_answer(cli, faq):
    status, output, errors = cli("answer", "--knowledge", faq, "Was the film good?")
    assert (status, output) == (0, "very good  (1.00)\n")
    assert "1 rows of" in errors
    found = json.loads(cli("answer", "--knowledge", faq, "-", "--json", given=b"a dog by the river\n")[1])
    assert (found["text"], found["line"]) == ("warm", 2)
    status, output, _ = cli("answer", "--knowledge", faq, "cold music", "--threshold", "1")
    assert status == 0
    assert output.startswith("I don't know.  (")


def test_chat_uses_earlier_questions(cli, faq):
    given = b"was the film good?\n\na dog by\nthe river\n"
    status, output, _ = cli("chat", "--knowledge", faq, "--threshold", "0.9999", given=given)
    assert status == 0
    assert [line.rpartition("  (")[0] for line in output.splitlines()] == ["very good", "I don't know.", "I don't know.", "warm"]
