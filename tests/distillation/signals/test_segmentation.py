import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertTokenizer

from compactlm.bert.models import pad_examples
from compactlm.distillation.signals.segmentation import TeacherTokens

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [*"abcd", *(f"##{letter}" for letter in "abcd")]
TEACHER = [*SPECIAL, *LETTERS, "ab", "##cd", "abcd", "##bc", "bad"]
STUDENT = [*SPECIAL, *LETTERS, "ab", "##bc"]


def tokenizer(tokens):
    return BertTokenizer(vocab={token: at for at, token in enumerate(tokens)})


student, teacher = tokenizer(STUDENT), tokenizer(TEACHER)
SEGMENTATION = TeacherTokens(student, teacher, [TEACHER.index(token) for token in STUDENT])


@given(st.lists(st.text("abcd xé", max_size=20), min_size=1, max_size=4))
def test_the_teacher_reads_a_text_as_by_its_own_tokenizer(texts):
    own, weights = SEGMENTATION.read(pad_examples(student(texts)["input_ids"]))
    expected = teacher(texts)["input_ids"]
    longest = max(map(len, expected))
    assert own["input_ids"].tolist() == [ids + [0] * (longest - len(ids)) for ids in expected]
    assert own["attention_mask"].tolist() == [[1] * len(ids) + [0] * (longest - len(ids)) for ids in expected]
    # A row of weights adds up to 1, and to 0 for padding; padding of the teacher has no weight.
    mask = pad_examples(student(texts)["input_ids"])["attention_mask"]
    torch.testing.assert_close(weights.sum(dim=2), mask.float())
    assert not weights[(own["attention_mask"] == 0)[:, None].expand_as(weights)].any()


def test_each_piece_has_the_state_of_the_word_and_a_word_the_mean_of_its_pieces():
    _, weights = SEGMENTATION.read(pad_examples(student(["abcd bad"])["input_ids"]))
    assert student.convert_ids_to_tokens(student("abcd bad")["input_ids"]) == ["[CLS]", "ab", "##c", "##d", "b", "##a", "##d", "[SEP]"]
    assert weights[0].argmax(dim=1).tolist() == [0, 1, 1, 1, 2, 2, 2, 3]
    assert weights[0].max(dim=1).values.tolist() == pytest.approx([1.0] * 8)


def test_both_texts_of_a_pair_keep_their_segments():
    first, second = student("abcd")["input_ids"], student("bad ab", add_special_tokens=False)["input_ids"]
    batch = pad_examples([[*first, *second, 3], student("b")["input_ids"]], [len(first), None])
    own, _ = SEGMENTATION.read(batch)
    assert teacher.convert_ids_to_tokens(own["input_ids"][0]) == ["[CLS]", "abcd", "[SEP]", "bad", "ab", "[SEP]"]
    assert own["token_type_ids"].tolist() == [[0, 0, 0, 1, 1, 1], [0] * 6]


def test_a_text_that_begins_within_a_word_keeps_its_tokens():
    ids = [2, STUDENT.index("##a"), STUDENT.index("##bc"), STUDENT.index("ab"), 3]
    own, _ = SEGMENTATION.read(pad_examples([ids]))
    assert teacher.convert_ids_to_tokens(own["input_ids"][0]) == ["[CLS]", "##a", "##bc", "ab", "[SEP]"]
