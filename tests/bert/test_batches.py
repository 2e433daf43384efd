import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.bert.batches import make_batches, pad

LENGTHS = st.lists(st.integers(1, 40), max_size=80)


@given(lengths=LENGTHS, batch_tokens=st.integers(1, 200), key=st.none() | st.text(max_size=5))
def test_batches_have_each_position_once_and_at_most_the_given_tokens(lengths, batch_tokens, key):
    found = make_batches(lengths, batch_tokens, key)
    assert sorted(position for batch in found for position in batch) == list(range(len(lengths)))
    for batch in found:
        assert batch
        assert len(batch) == 1 or len(batch) * max(lengths[position] for position in batch) <= batch_tokens
    assert found == make_batches(lengths, batch_tokens, key)
    if key is None:  # from short to long
        assert [lengths[position] for batch in found for position in batch] == sorted(lengths)


def test_another_key_gives_another_order():
    lengths = [number % 13 + 1 for number in range(200)]
    one, two = make_batches(lengths, 60, "17/general/0"), make_batches(lengths, 60, "17/general/1")
    assert one != two
    assert {frozenset(batch) for batch in one} != {frozenset(batch) for batch in two}


def test_sequences_of_one_batch_are_of_similar_length():
    lengths = [number % 50 + 1 for number in range(1000)]
    padded = sum(len(batch) * max(lengths[position] for position in batch) for batch in make_batches(lengths, 200, "key"))
    assert padded < 1.1 * sum(lengths)


def test_a_pool_is_sorted_together():
    found = make_batches(list(range(1, 101)), 100_000, "key", pool=10)
    assert [len(batch) for batch in found] == [10] * 10


@given(sequences=st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=9), min_size=1, max_size=6), padding=st.integers(0, 9))
def test_only_padding_is_masked(sequences, padding):
    batch = pad(sequences, padding)
    input_ids, attention_mask = batch.input_ids, batch.attention_mask
    assert input_ids.dtype == attention_mask.dtype == np.int64
    assert input_ids.shape == (len(sequences), max(map(len, sequences)))
    for ids, mask, sequence in zip(input_ids, attention_mask, sequences, strict=True):
        assert ids[mask.astype(bool)].tolist() == sequence
        assert (ids[~mask.astype(bool)] == padding).all()
        assert mask.tolist() == sorted(mask.tolist(), reverse=True)


def test_no_sequences_make_no_batches():
    assert make_batches([], 10, "key") == make_batches([], 10, None) == []
    with pytest.raises(ValueError, match="max"):
        pad([])
