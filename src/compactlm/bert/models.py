"""BERT models and tokenizers in local directories: checked, loaded, run, counted and saved."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from tqdm import tqdm
from transformers import AutoConfig, AutoTokenizer, BertForMaskedLM, BertForSequenceClassification, BertPreTrainedModel

from compactlm.bert.batches import make_batches, pad
from compactlm.bert.failures import memory_errors
from compactlm.bert.tokens import SPECIAL
from compactlm.errors import CompactLMError


def check_teacher(directory: Path, maximum_length: int) -> None:
    """Check that a directory holds a BERT with weights and the vocabulary that belongs to them.

    Args:
        directory: where the model lies.
        maximum_length: the tokens that it must be able to read at once.

    Raises:
        CompactLMError: it does not; the message says what is missing.
    """
    for name in ("config.json", "model.safetensors"):
        if not (directory / name).is_file():
            raise CompactLMError(
                f"the teacher's directory {directory} has no {name}; save the teacher there with save_pretrained (safetensors), "
                "or correct teacher.source in params.yaml"
            )
    try:
        config = AutoConfig.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise CompactLMError(
            f"the teacher's {directory}/config.json cannot be read ({str(error).splitlines()[0]}); fetch or save it again"
        ) from None
    if config.model_type != "bert":
        raise CompactLMError(f"the teacher in {directory} is of type {config.model_type!r}; name a BERT in teacher.source")
    if config.max_position_embeddings < maximum_length:
        raise CompactLMError(
            f"the teacher in {directory} reads at most {config.max_position_embeddings} tokens, but teacher.maximum_length is "
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
            f"the teacher's {directory}/model.safetensors holds no word embeddings of a BERT; name a BERT in teacher.source"
        )
    vocabulary = load_tokenizer(directory).get_vocab()
    if not len(vocabulary) == config.vocab_size == rows or sorted(vocabulary.values()) != list(range(rows)):
        raise CompactLMError(
            f"the teacher in {directory} has weights for {rows:,} tokens, a config.json for {config.vocab_size:,} and a tokenizer with "
            f"{len(vocabulary):,}; put the tokenizer that the teacher was trained with beside its weights"
        )
    missing = [token for token in SPECIAL if token not in vocabulary]
    if missing:
        raise CompactLMError(f"the tokenizer in {directory} lacks {', '.join(missing)}; use the one that the teacher was trained with")
    if vocabulary["[PAD]"] != 0:
        raise CompactLMError(f"the tokenizer in {directory} has [PAD] at {vocabulary['[PAD]']} and not at 0; use a teacher that has")


def load_tokenizer(directory: Path) -> Any:
    """Return the tokenizer of a local model directory.

    Raises:
        CompactLMError: there is none.
    """
    try:
        return AutoTokenizer.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # noqa: BLE001 - tokenizers raises bare exceptions, and KeyError for a file without its parts
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise CompactLMError(f"the tokenizer in {directory} cannot be loaded ({reason}); put tokenizer.json or vocab.txt there") from None


def best_device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _check_written(directory: Path) -> None:
    if not (directory / "config.json").is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory / "config.json"))


def _check_finite(model: torch.nn.Module, directory: Path) -> None:
    for name, weights in model.named_parameters():
        if not torch.isfinite(weights).all():
            raise CompactLMError(
                f"the model in {directory} has weights that are not finite numbers, first in {name}; fetch it again, or run `dvc repro` "
                "where a stage made it"
            )


def load_masked_lm(directory: Path) -> tuple[BertForMaskedLM, bool]:
    """Load a masked language model to the best device; the second value says whether its head came with the weights.

    Raises:
        CompactLMError: a weight is not a finite number.
    """
    _check_written(directory)
    model, report = BertForMaskedLM.from_pretrained(directory, local_files_only=True, output_loading_info=True)
    _check_finite(model, directory)
    return model.to(best_device()), not any(name.startswith("cls.") for name in report["missing_keys"])


def load_classifier(directory: Path) -> BertForSequenceClassification:
    """Load a fine-tuned classifier from a local directory to the best device.

    Raises:
        CompactLMError: a weight is not a finite number.
    """
    _check_written(directory)
    model = BertForSequenceClassification.from_pretrained(directory, local_files_only=True)
    _check_finite(model, directory)
    return model.to(best_device())


def masked_logits(model: BertForMaskedLM, input_ids: torch.Tensor, attention_mask: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Return the vocabulary logits at the positions where `where` is True, float [positions, vocabulary].

    The head is most of a compact model's work, so it is applied to these positions alone.
    """
    hidden = model.bert(input_ids, attention_mask=attention_mask).last_hidden_state
    return model.cls(hidden[where])


def classify(model: BertForSequenceClassification, sequences: Sequence[Sequence[int]], batch_tokens: int, description: str) -> torch.Tensor:
    """Return the logits of each sequence, float32 [rows, labels], in the order given."""
    model.eval()
    device = model.device
    logits = torch.zeros(len(sequences), model.config.num_labels)
    batches = make_batches([len(sequence) for sequence in sequences], batch_tokens, None)
    for number, positions in enumerate(tqdm(batches, desc=description, unit="batch", mininterval=0.5), start=1):
        chosen = [sequences[position] for position in positions]
        with memory_errors(description, number, list(map(len, chosen)), 1, batch_tokens, trains=False), torch.inference_mode():
            input_ids, attention_mask = pad(chosen, model.config.pad_token_id)
            output = model(input_ids.to(device), attention_mask=attention_mask.to(device)).logits
        logits[positions] = output.float().cpu()
    return logits


def save(model: BertPreTrainedModel, tokenizer: Any, directory: Path) -> None:
    """Save a model and its tokenizer, in safetensors and JSON."""
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def check_count(counted: int, stated: int | None) -> None:
    """Raise CompactLMError where teacher.parameters is stated and is not what was counted."""
    if stated is not None and counted != stated:
        raise CompactLMError(
            f"the teacher has {counted:,} parameters with a 2-label head, but teacher.parameters is {stated:,}; "
            f"set it to {counted} in params.yaml"
        )


def count_with_head(model: BertPreTrainedModel, labels: int = 2) -> int:
    """Return the parameters of the model's body with a pooler and a classification head."""
    hidden = model.config.hidden_size
    body = sum(parameter.numel() for name, parameter in model.bert.named_parameters() if not name.startswith("pooler."))
    return body + hidden * hidden + hidden + labels * (hidden + 1)
