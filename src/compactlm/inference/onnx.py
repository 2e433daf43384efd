"""ONNX files of a BERT, and how closely they agree with the original."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from tqdm import tqdm
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.distillation.batches import make_batches, pad
from compactlm.errors import CompactLMError

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class _Logits(torch.nn.Module):
    def __init__(self, model: BertForMaskedLM | BertForSequenceClassification) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> torch.Tensor:
        output = self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return output.logits


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's running commentary off the terminal; errors still raise."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def export_onnx(model: BertForMaskedLM | BertForSequenceClassification, path: Path, opset: int) -> None:
    """Write an ONNX file with inputs input_ids, attention_mask and token_type_ids, int64 [batch, sequence], and output logits.

    Args:
        model: a BERT with a head; it is put into evaluation mode.
        path: the file to write; its directory must exist.
        opset: the version of ONNX's operators.
    """
    example = tuple(torch.ones(2, 8, dtype=torch.int64) for _ in INPUTS)
    axes = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("sequence", min=2, max=model.config.max_position_embeddings)}
    with _quiet():
        program = torch.onnx.export(
            _Logits(model.eval()),
            example,
            dynamo=True,
            opset_version=opset,
            input_names=list(INPUTS),
            output_names=["logits"],
            dynamic_shapes=dict.fromkeys(INPUTS, axes),
            verbose=False,
            optimize=False,
        )
    if program is None:
        raise CompactLMError(f"torch wrote no ONNX program for {path}; try another export.opset in params.yaml")
    proto = program.model_proto
    # Paths of the machine's own source files lie in the metadata, and would make the bytes differ from machine to machine.
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer]:
        del value.metadata_props[:]
    del proto.graph.metadata_props[:]
    del proto.metadata_props[:]
    onnx.checker.check_model(proto)
    onnx.save_model(proto, path)


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How an ONNX file compares with the original on some rows: greatest difference of logits, and share of equal top choices."""

    rows: int
    greatest_difference: float
    same_prediction: float


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open an ONNX file for the CPU with a fixed number of threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def compare_with_original(
    model: BertForMaskedLM | BertForSequenceClassification,
    path: Path,
    sequences: Sequence[Sequence[int]],
    batch_tokens: int,
    threads: int,
    description: str,
) -> Agreement:
    """Run both on the same sequences of piece ids and compare the logits at every piece that is not padding."""
    model.eval()
    session = open_session(path, threads)
    greatest, same, total = 0.0, 0, 0
    for rows in tqdm(make_batches([len(s) for s in sequences], batch_tokens, None), desc=description, unit="batch", mininterval=0.5):
        input_ids, attention_mask = pad([sequences[row] for row in rows], model.config.pad_token_id)
        feeds = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": torch.zeros_like(input_ids)}
        with torch.inference_mode():
            original = model(**feeds).logits.float().numpy()
        exported = session.run(["logits"], {name: tensor.numpy() for name, tensor in feeds.items()})[0]
        if original.ndim == 3:
            real = attention_mask.numpy().astype(bool)
            original, exported = original[real], exported[real]
        greatest = max(greatest, float(np.abs(original - exported).max()))
        same += int((original.argmax(-1) == exported.argmax(-1)).sum())
        total += len(original)
    return Agreement(len(sequences), greatest, same / total)


def check_agreement(agreement: Agreement, tolerance: float, path: Path) -> None:
    """Raise CompactLMError where the logits differ by more than `tolerance`."""
    if not agreement.greatest_difference <= tolerance:
        raise CompactLMError(
            f"{path} differs from the original by {agreement.greatest_difference:.2g} on {agreement.rows} test rows, more than "
            f"export.tolerance {tolerance:g} allows; try another export.opset, or raise the tolerance if you accept the difference"
        )
