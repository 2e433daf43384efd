"""Checks of a teacher before any work: its files, its vocabulary and its size."""

from __future__ import annotations

from pathlib import Path

from safetensors import safe_open
from transformers import AutoConfig

from compactlm.bert.models import load_tokenizer
from compactlm.bert.sentence_encoder.modules import SentenceModules, is_sentence_encoder
from compactlm.bert.special_tokens import SPECIAL
from compactlm.errors import CompactLMError


def check_teacher(directory: Path, maximum_length: int) -> None:
    """Check that a directory holds a BERT with weights and vocabulary, and that it accepts `maximum_length` tokens.

    The modules of a sentence encoder are checked, too.

    Raises:
        CompactLMError: something is missing or does not fit; the message says what.
    """
    for name in ("config.json", "model.safetensors"):
        if not (directory / name).is_file():
            raise CompactLMError(
                f"{name} is missing in the teacher's directory {directory}; save the teacher there with save_pretrained, or correct "
                "teacher.source in params.yaml"
            )
    try:
        config = AutoConfig.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise CompactLMError(
            f"the teacher's {directory}/config.json cannot be read ({str(error).splitlines()[0]}); fetch or save the teacher again"
        ) from None
    if config.model_type != "bert":
        raise CompactLMError(f"the teacher in {directory} is of type {config.model_type!r}; set teacher.source to a BERT")
    if config.max_position_embeddings < maximum_length:
        raise CompactLMError(
            f"the teacher in {directory} accepts at most {config.max_position_embeddings} tokens, but teacher.maximum_length is "
            f"{maximum_length}; lower it, and tokenize.maximum_length with it"
        )
    try:
        with safe_open(directory / "model.safetensors", framework="pt") as weights:
            names = [name for name in weights.keys() if name.endswith("embeddings.word_embeddings.weight")]  # noqa: SIM118
            rows = weights.get_slice(names[0]).get_shape()[0] if names else None
    except Exception as error:  # noqa: BLE001 - safetensors raises its own type, outside any hierarchy
        raise CompactLMError(f"the teacher's {directory}/model.safetensors cannot be read ({error}); fetch or save it again") from None
    if rows is None:
        raise CompactLMError(
            f"the teacher's {directory}/model.safetensors holds no word embeddings of a BERT; set teacher.source to a BERT"
        )
    vocabulary = load_tokenizer(directory).get_vocab()
    if not len(vocabulary) == config.vocab_size == rows or sorted(vocabulary.values()) != list(range(rows)):
        raise CompactLMError(
            f"the teacher in {directory} has weights for {rows:,} tokens, a config.json for {config.vocab_size:,} and a tokenizer with "
            f"{len(vocabulary):,}; put the tokenizer of the teacher's training next to its weights"
        )
    if is_sentence_encoder(directory):
        SentenceModules.read(directory)
    missing = [token for token in SPECIAL if token not in vocabulary]
    if missing:
        raise CompactLMError(f"the tokenizer in {directory} lacks {', '.join(missing)}; use the tokenizer of the teacher's training")
    if vocabulary["[PAD]"] != 0:
        raise CompactLMError(f"the tokenizer in {directory} has [PAD] at {vocabulary['[PAD]']} and not at 0; use another teacher")


def check_count(counted: int, stated: int | None) -> None:
    """Raise CompactLMError if teacher.parameters is set and differs from the counted number."""
    if stated is not None and counted != stated:
        raise CompactLMError(
            f"the teacher has {counted:,} parameters with a 2-label head, but teacher.parameters is {stated:,}; "
            f"set it to {counted} in params.yaml"
        )
