"""Load, run, count and save BERT models in local directories."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from tqdm import tqdm
from transformers import BertForMaskedLM, BertForSequenceClassification, BertModel, BertPreTrainedModel

from compactlm.bert.batches import make_batches, pad
from compactlm.bert.memory import memory_errors
from compactlm.bert.tokenizers import load_tokenizer as load_tokenizer  # noqa: PLC0414 - callers of models also need it
from compactlm.errors import CompactLMError


def best_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _load(form: Any, directory: Path, **settings: Any) -> tuple[Any, bool]:
    """Load a model to the best device. Also return whether the weights include a masked-language-model head."""
    if not (directory / "config.json").is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory / "config.json"))
    model, report = form.from_pretrained(directory, local_files_only=True, output_loading_info=True, **settings)
    for name, weights in model.named_parameters():
        if not torch.isfinite(weights).all():
            raise CompactLMError(
                f"the model in {directory} has weights that are not finite numbers, first in {name}; fetch it again, or run `dvc repro` "
                "if a stage wrote it"
            )
    return model.to(best_device()), not any(name.startswith("cls.") for name in report["missing_keys"])


def load_masked_lm(directory: Path) -> tuple[BertForMaskedLM, bool]:
    """Load a masked language model to the best device. Also return whether the weights include its head.

    Raises:
        CompactLMError: a weight is not a finite number.
        FileNotFoundError: config.json is missing.
    """
    return _load(BertForMaskedLM, directory)


def has_mlm_head(directory: Path) -> bool:
    """Return whether the weights of a model directory include a masked-language-model head.

    Raises:
        FileNotFoundError: model.safetensors is missing.
    """
    with safe_open(directory / "model.safetensors", framework="pt") as weights:
        return any(name.startswith("cls.predictions.transform.") for name in weights.keys())  # noqa: SIM118


def load_base(directory: Path) -> BertForMaskedLM | BertModel:
    """Load a pretrained model to the best device: a masked language model if it has this head, else the body alone.

    The body has a pooler only if the weights include one, so no weight is random. See `load_masked_lm` for the errors.
    """
    if has_mlm_head(directory):
        return load_masked_lm(directory)[0]
    with safe_open(directory / "model.safetensors", framework="pt") as weights:
        pooled = any(name.removeprefix("bert.").startswith("pooler.") for name in weights.keys())  # noqa: SIM118
    body: BertModel = _load(BertModel, directory, add_pooling_layer=pooled)[0]
    return body


def body_of(model: BertPreTrainedModel) -> BertModel:
    """Return the body of a BERT with or without a head."""
    body: BertModel = model if isinstance(model, BertModel) else model.bert
    return body


def load_form(form: Any, directory: Path) -> Any:
    """Load a model as the given class of transformers from a local directory to the best device; see `load_masked_lm` for the errors."""
    return _load(form, directory)[0]


def load_classifier(directory: Path) -> BertForSequenceClassification:
    """Load a fine-tuned classifier from a local directory to the best device; see `load_masked_lm` for the errors."""
    classifier: BertForSequenceClassification = _load(BertForSequenceClassification, directory)[0]
    return classifier


def load_body(directory: Path) -> BertModel:
    """Load a BERT without pooler and head from a local directory to the best device; see `load_masked_lm` for the errors."""
    body: BertModel = _load(BertModel, directory, add_pooling_layer=False)[0]
    return body


def pad_tensors(sequences: Sequence[Sequence[int]], padding: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return input ids and attention mask of a batch, both int64 [rows, longest row]."""
    batch = pad(sequences, padding)
    return torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)


def pad_examples(
    sequences: Sequence[Sequence[int]], seconds: Sequence[int | None] | None = None, padding: int = 0
) -> dict[str, torch.Tensor]:
    """Return input_ids and attention_mask of a batch, and token_type_ids if a sequence has a second text; see `batches.pad`."""
    batch = pad(sequences, padding, seconds)
    found = {"input_ids": torch.from_numpy(batch.input_ids), "attention_mask": torch.from_numpy(batch.attention_mask)}
    return found if batch.token_types is None else {**found, "token_type_ids": torch.from_numpy(batch.token_types)}


def masked_logits(model: BertForMaskedLM, input_ids: torch.Tensor, attention_mask: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Return the vocabulary logits at the positions where `where` is True, float [positions, vocabulary], on the model's device.

    The head is most of a compact model's work, so it runs only on these positions.
    """
    device = model.device
    hidden = model.bert(input_ids.to(device), attention_mask=attention_mask.to(device)).last_hidden_state
    return model.cls(hidden[where.to(device)])


def classify(
    model: BertForSequenceClassification, sequences: Sequence[Sequence[int]], batch_tokens: int, description: str, progress: bool = True
) -> torch.Tensor:
    """Return the logits of each sequence, float32 [rows, labels], in the given order."""
    model.eval()
    logits = torch.zeros(len(sequences), model.config.num_labels)
    batches = make_batches([len(sequence) for sequence in sequences], batch_tokens)
    bar = tqdm(batches, desc=description, unit="batch", mininterval=0.5, disable=not progress)
    for number, positions in enumerate(bar, start=1):
        chosen = [sequences[position] for position in positions]
        with memory_errors(description, number, list(map(len, chosen)), batch_tokens), torch.inference_mode():
            input_ids, attention_mask = pad_tensors(chosen, model.config.pad_token_id)
            output = model(input_ids.to(model.device), attention_mask=attention_mask.to(model.device)).logits
        logits[positions] = output.float().cpu()
    return logits


def save(model: BertPreTrainedModel, tokenizer: Any, directory: Path) -> None:
    """Save a model and its tokenizer, in safetensors and JSON."""
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def count_with_head(model: BertPreTrainedModel, labels: int = 2) -> int:
    """Return the number of parameters of the model's body with a pooler and a classification head."""
    hidden = model.config.hidden_size
    body = sum(parameter.numel() for name, parameter in body_of(model).named_parameters() if not name.startswith("pooler."))
    return body + hidden * hidden + hidden + labels * (hidden + 1)
