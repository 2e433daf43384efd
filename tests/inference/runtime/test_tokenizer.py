"""A damaged or foreign tokenizer.json ends in one sentence. `make fuzz` found the first four files."""

import json

import pytest

from compactlm.errors import CompactLMError
from compactlm.inference.runtime.tokenizer import Tokenizer
from compactlm.inference.runtime.word_cache import WordCache

FRAME = r"tokenizer\.json does not read \[MASK\] as one token between \[CLS\] and \[SEP\]; copy the tokenizer"


@pytest.fixture
def content(student_root):
    return json.loads((student_root / "mlm/tokenizer.json").read_text(encoding="utf-8"))


def opened(content, directory):
    (directory / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return Tokenizer(directory, 64, len(content["model"]["vocab"]))


def without_post_processor(content):
    del content["post_processor"]


def renamed_token(content):
    tokens = content["post_processor"]["special_tokens"]
    tokens["[CLS]s"] = tokens.pop("[CLS]")


def undefined_token(content):
    content["post_processor"]["single"][0]["SpecialToken"]["id"] = "x"


def undefined_token_without_a_type(content):
    undefined_token(content)
    content["post_processor"]["type"] = []


def undefined_token_of_pairs(content):
    content["post_processor"]["pair"][0]["SpecialToken"]["id"] = "x"


def undefined_token_in_a_sequence(content):
    undefined_token(content)
    content["post_processor"] = {"type": "Sequence", "processors": [content["post_processor"]]}


def changed_frame(content):
    content["post_processor"]["single"].pop()


def foreign_id(content):
    content["post_processor"]["special_tokens"]["[SEP]"]["ids"] = [2]


def plain_mask(content):
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] != "[MASK]"]


@pytest.mark.parametrize(
    "damage",
    [
        without_post_processor,
        renamed_token,
        undefined_token,
        undefined_token_without_a_type,
        undefined_token_of_pairs,
        undefined_token_in_a_sequence,
        changed_frame,
        foreign_id,
        plain_mask,
    ],
)
def test_a_text_without_its_frame_is_refused(content, tmp_path, damage, capfd):
    opened(content, tmp_path)
    damage(content)
    with pytest.raises(CompactLMError, match=FRAME):
        opened(content, tmp_path)
    assert capfd.readouterr().err == ""  # the library prints a trace when it panics


def test_a_vocabulary_with_a_gap_is_refused(content, tmp_path):
    vocabulary = content["model"]["vocab"]
    last = max(vocabulary, key=vocabulary.get)
    for number in (len(vocabulary), vocabulary[last] - 1, 2**31):
        vocabulary[last] = number
        with pytest.raises(CompactLMError, match=rf"tokenizer\.json does not give its tokens the ids 0 to {len(vocabulary) - 1:,}; copy"):
            opened(content, tmp_path)


@pytest.mark.parametrize("unknown", ["[PAD]", "missing", "[MASK]"])
def test_other_tokens_for_unknown_words_are_refused(content, tmp_path, unknown):
    content["model"]["unk_token"] = unknown
    with pytest.raises(CompactLMError, match=r"tokenizer\.json has no \[UNK\] for unknown words; copy"):
        opened(content, tmp_path)


def test_another_prefix_of_continuations_gives_the_same_ids_for_many_lines(content, tmp_path):
    content["model"]["continuing_subword_prefix"] = "@@"
    tokenizer = opened(content, tmp_path)
    texts = ["a good film", "unknown words, goodfilm", ""]
    assert [list(ids) for ids in WordCache(tokenizer).encode(texts)] == tokenizer.encode(texts)


def test_tokens_that_are_normalized_give_the_same_ids_for_many_lines(content, tmp_path):
    for token in content["added_tokens"]:
        token["normalized"] = True
    tokenizer = opened(content, tmp_path)
    texts = ["a good film", "a [mask] film [unk]", "[SEP]"]
    assert [list(ids) for ids in WordCache(tokenizer).encode(texts)] == tokenizer.encode(texts)


class Panic(BaseException):
    """Like the exception of a panic of Rust, this is no Exception."""


@pytest.mark.parametrize("error", [Panic("no entry found for key"), ValueError("no entry found for key")])
def test_a_panic_ends_in_one_sentence(content, tmp_path, error):
    def panics(*_, **__):
        raise error

    tokenizer = opened(content, tmp_path)
    tokenizer.library = type("Library", (), {"encode_batch_fast": panics, "decode": panics})()
    with pytest.raises(CompactLMError, match=r"tokenizer\.json cannot tokenize a text \(no entry found for key\); copy the tokenizer"):
        tokenizer.encode(["a"])
    with pytest.raises(CompactLMError, match=r"tokenizer\.json cannot join tokens \(no entry found for key\); copy the tokenizer"):
        tokenizer.join([1])


def test_ctrl_c_stays_ctrl_c(content, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    tokenizer = opened(content, tmp_path)
    tokenizer.library = type("Library", (), {"encode_batch_fast": interrupted})()
    with pytest.raises(KeyboardInterrupt):
        tokenizer.encode(["a"])
