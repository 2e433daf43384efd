from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, BertTokenizer

from compactlm.errors import CompactLMError
from compactlm.student.vocabulary import SPECIAL, build_tokenizer, choose_vocabulary, count_tokens, coverage, id_map, weigh_counts

LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXT = st.text(alphabet=LETTERS + LETTERS.upper() + "éÉ0123456789 .,!?", min_size=1, max_size=60)


@pytest.fixture(scope="module")
def counts(tiny_tokenizer, tiny_texts):
    every_character = [*LETTERS, *"0123456789", *".,!?'"]
    return count_tokens(tiny_tokenizer([*tiny_texts, *every_character], add_special_tokens=False)["input_ids"])


@pytest.fixture(scope="module")
def student(tiny_tokenizer, counts):
    """The tokenizer of a student with 20 tokens fewer than the teacher."""
    tokens = choose_vocabulary(tiny_tokenizer.get_vocab(), counts, len(tiny_tokenizer) - 20)
    return build_tokenizer(tiny_tokenizer, tokens, 64)


@given(data=st.data())
def test_the_chosen_tokens_are_a_subset_of_exact_size_in_the_teachers_order(tiny_tokenizer, tiny_texts, data):
    vocabulary = tiny_tokenizer.get_vocab()
    texts = data.draw(st.lists(st.sampled_from(tiny_texts), max_size=5))
    counts = count_tokens(tiny_tokenizer(texts, add_special_tokens=False)["input_ids"]) if texts else Counter()
    size = data.draw(st.integers(min_value=80, max_value=len(vocabulary)))
    tokens = choose_vocabulary(vocabulary, counts, size)
    assert len(tokens) == len(set(tokens)) == size
    assert set(SPECIAL) <= set(tokens) <= set(vocabulary)
    ids = [vocabulary[token] for token in tokens]
    assert ids == sorted(ids)


def test_the_tokenizer_has_all_tokens_with_special_ones_in_the_teachers_order(tiny_tokenizer, student):
    # BertTokenizer(vocab_file=...) of transformers 5 would silently build a vocabulary of the five special tokens.
    assert len(student) == len(student.get_vocab()) == len(tiny_tokenizer) - 20
    order = sorted(SPECIAL, key=tiny_tokenizer.get_vocab().__getitem__)
    assert [student.convert_tokens_to_ids(token) for token in order] == sorted(student.all_special_ids)
    assert student.pad_token_id == 0
    assert student.convert_ids_to_tokens(student("film")["input_ids"]) == ["[CLS]", "film", "[SEP]"]


def test_the_most_frequent_words_are_kept():
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, "a", "##a", "b", "ab", "aab", "ba", "z"])}
    counts = {vocabulary["ba"]: 5, vocabulary["ab"]: 3, vocabulary["aab"]: 4, vocabulary["b"]: 1, vocabulary["a"]: 1}
    chosen = choose_vocabulary(vocabulary, counts, 10)
    assert chosen == [*SPECIAL, "a", "##a", "b", "aab", "ba"]


def test_equal_counts_are_ordered_by_the_teachers_id():
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, "a", "##a", "aa", "aaa", "aaaa"])}
    counts = {8: 2, 9: 2, 7: 2}
    assert choose_vocabulary(vocabulary, counts, 9) == choose_vocabulary(vocabulary, dict(reversed(counts.items())), 9)
    assert choose_vocabulary(vocabulary, counts, 9)[-2:] == ["aa", "aaa"]


@given(text=TEXT)
def test_the_student_knows_all_text_that_the_teacher_knows(student, tiny_tokenizer, text):
    # The tiny teacher has no digit as a continuation, so "12" is unknown to both. It can spell all other text.
    own, by_teacher = (one(text, add_special_tokens=False)["input_ids"] for one in (student, tiny_tokenizer))
    assert own.count(student.unk_token_id) == by_teacher.count(tiny_tokenizer.unk_token_id)


@given(text=TEXT)
def test_the_id_map_keeps_the_tokens(student, tiny_tokenizer, text):
    ids = student(text)["input_ids"]
    mapped = [id_map(tiny_tokenizer, student)[index] for index in ids]
    assert tiny_tokenizer.convert_ids_to_tokens(mapped) == student.convert_ids_to_tokens(ids)


def test_the_id_map_refuses_a_student_of_another_teacher(tiny_tokenizer):
    stranger = build_tokenizer(tiny_tokenizer, [*SPECIAL, "a", "zebra"], 64)
    with pytest.raises(CompactLMError, match=r"1 tokens that the teacher lacks \(first: 'zebra'\); run `dvc repro tokenize`"):
        id_map(tiny_tokenizer, stranger)


def test_a_size_without_room_for_the_characters_is_refused(tiny_tokenizer, counts):
    with pytest.raises(CompactLMError, match=r"student\.vocabulary_size is 30, but .* \d+ tokens"):
        choose_vocabulary(tiny_tokenizer.get_vocab(), counts, 30)


def test_a_teacher_without_special_tokens_is_refused():
    with pytest.raises(CompactLMError, match=r"lacks \[UNK\], \[MASK\]; use a BERT"):
        choose_vocabulary({"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3}, {}, 4)


def test_a_saved_tokenizer_is_data_only_and_byte_stable(tmp_path, student):
    for name in ("one", "two"):
        student.save_pretrained(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files
    assert {path.rpartition(".")[2] for path in files} <= {"json", "txt"}
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("options", [{}, {"do_lower_case": False}, {"do_lower_case": True, "strip_accents": False}])
def test_letter_case_and_accents_are_treated_as_the_teacher_does(tmp_path, tiny_tokens, options):
    teacher = BertTokenizer(vocab={token: index for index, token in enumerate(tiny_tokens)}, **options)
    student = build_tokenizer(teacher, tiny_tokens, 64)
    student.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert again.model_max_length == 64
    for text in ("The film WAS good.", "é É cafés", "a 河 b"):
        assert student(text)["input_ids"] == teacher(text)["input_ids"]
        assert again(text)["input_ids"] == teacher(text)["input_ids"]


def test_coverage_is_the_share_of_tokens_in_the_text():
    vocabulary = {"a": 0, "b": 1, "c": 2}
    assert coverage(vocabulary, {0: 6, 1: 3, 2: 1}, ["a", "c"]) == pytest.approx(0.7)
    assert coverage(vocabulary, {}, ["a"]) == 0


def test_labelled_rows_have_their_share_of_the_counts_at_any_number_of_rows():
    labelled, unlabelled = {1: 3, 2: 1}, {2: 600, 3: 200}
    found = weigh_counts(labelled, unlabelled, 0.6)
    assert found == pytest.approx({1: 0.45, 2: 0.15 + 0.3, 3: 0.1})
    assert weigh_counts({1: 6, 2: 2}, unlabelled, 0.6) == pytest.approx(found)
    assert weigh_counts(labelled, {2: 6, 3: 2}, 0.6) == pytest.approx(found)


@pytest.mark.parametrize("share", [None, 0.0, 0.3, 1.0])
def test_text_of_one_kind_is_counted_without_weights(share):
    assert weigh_counts({1: 3, 2: 1}, {}, share) == weigh_counts({}, {1: 3, 2: 1}, share) == {1: 3, 2: 1}
    assert weigh_counts({1: 3, 2: 1}, {2: 600, 3: 200}, None) == {1: 3, 2: 601, 3: 200}


def test_text_with_a_share_of_0_still_contributes_its_characters():
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, "a", "##a", "b", "##b", "ab", "ba"])}
    by_task = weigh_counts({vocabulary["ba"]: 2}, {vocabulary["ab"]: 9}, 1.0)
    assert by_task[vocabulary["ab"]] == 0
    assert choose_vocabulary(vocabulary, by_task, 10) == [*SPECIAL, "a", "##a", "b", "##b", "ba"]
    by_text = weigh_counts({vocabulary["ba"]: 2}, {vocabulary["ab"]: 9}, None)
    assert choose_vocabulary(vocabulary, by_text, 10) == [*SPECIAL, "a", "##a", "b", "##b", "ab"]


@given(
    labelled=st.dictionaries(st.integers(0, 9), st.integers(1, 1000), min_size=1),
    unlabelled=st.dictionaries(st.integers(0, 9), st.integers(1, 10**6), min_size=1),
    share=st.floats(0, 1),
)
def test_weighted_counts_have_all_tokens_and_sum_to_1(labelled, unlabelled, share):
    found = weigh_counts(labelled, unlabelled, share)
    assert set(found) == set(labelled) | set(unlabelled)
    assert sum(found.values()) == pytest.approx(1)
    everything = {str(index): index for index in range(10)}
    assert coverage(everything, found, everything) == pytest.approx(1)
