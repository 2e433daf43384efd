import json

import pytest

from compactlm.errors import CompactLMError
from compactlm.inference.search.conversation import Conversation

PAIRS = [("was the film good?", "very good"), ("who hated the ending?", "the actor"), ("a dog by the river", "warm")]


@pytest.fixture
def faq(tmp_path):
    path = tmp_path / "faq.jsonl"
    path.write_text("".join(json.dumps({"question": question, "answer": answer}) + "\n" for question, answer in PAIRS))
    return path


def test_the_nearest_question_is_answered(lm, faq):
    known = lm.knowledge(faq)
    for line, (question, answer) in enumerate(PAIRS, start=1):
        found = known.answer(question.upper(), 0.9)
        assert (found.text, found.source, found.line) == (answer, question, line)
        assert found.score == pytest.approx(1, abs=1e-4)


def test_below_the_threshold_there_is_no_answer(lm, faq):
    known = lm.knowledge(faq)
    score = known.answer("cold music", -1).score
    assert known.answer("cold music", score - 0.001).text is not None
    unknown = known.answer("cold music", score + 0.001)
    assert (unknown.text, unknown.source, unknown.line) == (None, None, None)
    assert unknown.score == pytest.approx(score)
    assert known.answer("", 0.5).text is None


def test_broken_rows_are_counted_and_skipped(lm, faq):
    faq.write_text(faq.read_text() + '{"question": \n{"question": "no answer"}\n\n{"text": "Slow dog. Quick cat."}\n')
    known = lm.knowledge(faq)
    assert len(known.index) == 4
    assert known.broken == 3
    found = known.answer("slow dog. quick cat.")
    assert (found.text, found.source, found.line) == ("Slow dog. Quick cat.", None, 7)


def test_a_changed_file_is_read_again(lm, faq):
    assert lm.knowledge(faq).answer("a dog by the river").text == "warm"
    faq.write_text(faq.read_text().replace('"warm"', '"cold"'))
    assert lm.knowledge(faq).answer("a dog by the river").text == "cold"


def test_passages_are_whole_sentences(lm, tmp_path):
    path = tmp_path / "notes.txt"
    long = " ".join(f"The dog number {number} was slow." for number in range(30))
    path.write_text(f"The film\nwas good.\n\n{long}\n\n\nOld people hated it!")
    known = lm.knowledge(path, tmp_path / "kept")
    passages = known.index.search(known.embedding.embed(["a"])[0], 9)
    texts = {hit.entry["text"]: hit.entry["line"] for hit in passages}
    assert texts.pop("The film was good.") == 1
    assert texts.pop("Old people hated it!") == 7
    assert set(texts.values()) == {4}
    assert " ".join(sorted(texts, key=lambda text: int(text.split()[3]))) == long
    assert all(len(text.split()) <= 60 and text.endswith(".") for text in texts)
    assert (tmp_path / "kept" / "index.json").is_file()


@pytest.mark.parametrize("row", ['{"question": "old \\ud83d", "answer": "dog \\ude00"}', '{"text": "dog \\ude00"}'])
def test_lone_surrogates_are_replaced(lm, faq, row):
    faq.write_text(row + "\n")
    assert lm.knowledge(faq).answer("old dog", -1).text == "dog \ufffd"


def test_lines_that_are_not_utf_8_are_counted(lm, tmp_path):
    (tmp_path / "notes.txt").write_bytes(b"The film was good.\n\nThe d\xf6g was old.\n")
    known = lm.knowledge(tmp_path / "notes.txt")
    assert (known.unreadable, len(known.index)) == (1, 2)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        *((name, "question,answer\n", f"{name} is not a text file.* .txt") for name in ("faq.csv", "faq.JSON", "handbook.pdf")),
        ("faq.jsonl", None, "cannot be read"),
        ("faq.jsonl", "", "has no usable rows"),
        ("faq.jsonl", '{"a": 1}\n', "has no usable rows"),
    ],
)
def test_a_file_without_usable_rows_is_refused(lm, tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(CompactLMError, match=message):
        lm.knowledge(tmp_path / name)


def test_a_conversation_uses_earlier_questions(lm, faq):
    known = lm.knowledge(faq)
    threshold = 0.9999
    assert known.answer("the river", threshold).text is None
    talk = Conversation(known, threshold)
    assert talk.ask("a dog by").text is None
    assert talk.ask("the river").text == "warm"
    assert talk.ask("who hated the ending?").text == "the actor"
    assert talk.ask("").text is None  # not the previous answer again
    forgetful = Conversation(known, threshold, turns=0)
    forgetful.ask("a dog by")
    assert forgetful.ask("the river").text is None


def test_an_abbreviated_question_has_the_better_score_of_both_forms(lm, tmp_path):
    path = tmp_path / "faq.jsonl"
    path.write_text('{"question": "who are you?", "answer": "a small model"}\n{"question": "where is the dog?", "answer": "outside"}\n')
    known = lm.knowledge(path)
    full = {hit.entry["line"]: hit.score for hit in known.matches("who are you")}
    short = known.matches("who r u")
    assert short[0].entry["answer"] == "a small model"
    assert short[0].score >= full[1] - 1e-6
    assert len({hit.entry["line"] for hit in short}) == len(short) == 2
