import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertTokenizer

from compactlm.artifacts import SEQUENCE_SCHEMA
from compactlm.bert.tokenization import all_tokens, encode, tokenize_documents, windows
from compactlm.corpus.clean.filters.personal.placeholders import PLACEHOLDERS
from tests.fixtures.builders import make_row


@given(tokens=st.lists(st.integers(10, 99), max_size=70), length=st.integers(8, 20))
def test_windows_have_all_tokens(tiny_tokenizer, tokens, length):
    parts = windows(tokens, tiny_tokenizer, length)
    assert all(3 <= len(part) <= length for part in parts)
    assert all((part[0], part[-1]) == (tiny_tokenizer.cls_token_id, tiny_tokenizer.sep_token_id) for part in parts)
    assert [token for part in parts for token in part[1:-1]] == tokens
    assert all(len(part) == length for part in parts[:-1])


def test_encode_cuts_and_keeps_order_over_several_batches(tiny_tokenizer, tiny_texts):
    whole = encode(tiny_tokenizer, tiny_texts, 10)
    assert encode(tiny_tokenizer, tiny_texts * 8, 10) == whole * 8  # more than the 1,000 texts of a batch
    assert max(map(len, whole)) == 10
    assert all(sequence[-1] == tiny_tokenizer.sep_token_id for sequence in whole)
    tokens = tiny_tokenizer(tiny_texts, add_special_tokens=False)["input_ids"]
    assert list(all_tokens(tiny_tokenizer, tiny_texts * 8, "count")) == tokens * 8


def test_labelled_rows_are_cut_and_unlabelled_rows_are_split(tiny_tokenizer):
    long = "the film was good " * 5
    rows, statistics = tokenize_documents(
        tiny_tokenizer, [make_row("a", long, label="good", task="t"), make_row("b", long)], 10, "tokenize"
    )
    assert [row["id"] for row in rows] == ["a.0", "b.0", "b.1", "b.2"]
    assert rows[0]["input_ids"] == rows[1]["input_ids"]
    assert [(row["task"], row["label"]) for row in rows[:2]] == [("t", "good"), (None, None)]
    assert statistics.metrics()["cut_rows"] == 1
    pa.Table.from_pylist(rows, schema=SEQUENCE_SCHEMA)


def test_statistics_count_words_unknowns_and_lengths(tiny_tokenizer):
    texts = ["films slowly", "the 河 film", "the film was good and the dog was bad and it was warm"]
    _, statistics = tokenize_documents(tiny_tokenizer, [make_row(str(at), text) for at, text in enumerate(texts)], 64, "tokenize")
    metrics = statistics.metrics()
    assert tiny_tokenizer.tokenize(texts[0]) == ["film", "##s", "slow", "##ly"]
    assert metrics["tokens"] == 4 + 3 + 13
    assert metrics["tokens_a_word"] == 20 / 18
    assert metrics["unknown_rate"] == 1 / 20
    assert metrics["mean_length"] == 20 / 3
    assert statistics.histogram() == [(0, 2), (8, 1)]


@pytest.mark.parametrize("lower", [True, False])
def test_a_vocabulary_of_characters_can_spell_the_placeholders_of_personal_data(lower):
    characters = sorted(set("".join(PLACEHOLDERS.values())))
    both = sorted({*characters, *map(str.lower, characters)})
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *both, *(f"##{one}" for one in both)]
    tokenizer = BertTokenizer(vocab={token: number for number, token in enumerate(tokens)}, do_lower_case=lower)
    for placeholder in PLACEHOLDERS.values():
        found = tokenizer.tokenize(f"write to {placeholder}, please")
        start, end = found.index("["), found.index("]")
        spelled = "".join(token.removeprefix("##") for token in found[start : end + 1])
        assert spelled == (placeholder.lower() if lower else placeholder)
        assert not set(found[start : end + 1]) & {"[UNK]", "[CLS]", "[SEP]", "[MASK]"}
