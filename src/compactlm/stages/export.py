"""Write ONNX files of the student, in fp32 and int8, and check them against the original on test rows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm
from transformers import BertPreTrainedModel

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.masked_words import mask_one
from compactlm.bert.runtime import prepare
from compactlm.draws import draw_items
from compactlm.export.agreement import Comparison, check_difference, check_loss, compare, cosines, measure_loss
from compactlm.export.directory import write_directory
from compactlm.figures.figure import Figure, write_figures
from compactlm.inference.runtime.onnx_files import EMBEDDING, FLOAT_FILE, INT8_FILE
from compactlm.params import Params
from compactlm.pipeline.run import run

Rows = list[dict[str, Any]]
BATCH_TOKENS = 4096  # at most: logits over the vocabulary are held for all three, the original and both files


def _compare(params: Params, name: str, model: BertPreTrainedModel, directory: Path, rows: Rows, positions: list[int] | None) -> Comparison:
    sequences = [row["input_ids"] for row in rows]
    batch_tokens = min(params.batch_tokens, BATCH_TOKENS)
    found = compare(model, directory, sequences, positions, batch_tokens, params.threads, f"check the ONNX of {name}")
    check_difference(found, params.export.tolerance, artifacts.EXPORT / name / FLOAT_FILE)
    return found


def _masked_lm(params: Params, model: BertPreTrainedModel, directory: Path, rows: Rows) -> tuple[Comparison, dict[str, Any]]:
    tokenizer = models.load_tokenizer(artifacts.STUDENT / artifacts.MLM)
    masked = [mask_one(row["input_ids"], tokenizer.mask_token_id, f"{params.seed}/{row['id']}") for row in rows]
    items = [{**row, "input_ids": item.sequence} for row, item in zip(rows, masked, strict=True)]
    found = _compare(params, artifacts.MLM, model, directory, items, [item.position for item in masked])
    return found, dataclasses.asdict(measure_loss([item.target for item in masked], found))


def _task(params: Params, name: str, model: BertPreTrainedModel, directory: Path, rows: Rows) -> tuple[Comparison, dict[str, Any]]:
    labels = params.tasks[name].labels
    found = _compare(params, name, model, directory, rows, None)
    loss = measure_loss([labels.index(row["label"]) for row in rows], found)
    check_loss(loss, len(rows), params.export.accuracy_loss, artifacts.EXPORT / name / INT8_FILE)
    return found, dataclasses.asdict(loss)


def _embedding(params: Params, model: BertPreTrainedModel, directory: Path, rows: Rows) -> tuple[Comparison, dict[str, Any]]:
    found = _compare(params, EMBEDDING, model, directory, rows, None)
    similar = cosines(found.original, found.quantized)
    return found, {"mean_cosine": float(np.mean(similar)), "least_cosine": float(np.min(similar))}


def main(params: Params) -> None:
    """Run the stage."""
    prepare(params.threads, params.seed)
    test = artifacts.read_table(artifacts.TOKENIZED / "test").to_pylist()
    metrics = {}
    with artifacts.replacing(artifacts.EXPORT) as unfinished:
        for name in tqdm((artifacts.MLM, EMBEDDING, *params.tasks), desc="export", unit="model"):
            candidates = [row for row in test if name not in params.tasks or row["task"] == name]
            rows = draw_items(candidates, params.export.check_rows, "export", params.seed, key=lambda row: row["id"])
            directory, source = unfinished / name, artifacts.STUDENT / (name if name in params.tasks else artifacts.MLM)
            if name in params.tasks:
                model: BertPreTrainedModel = models.load_classifier(source).cpu()
                write_directory(model, source, directory, params.export.opset)
                found, int8 = _task(params, name, model, directory, rows)
            else:
                masked_lm = models.load_masked_lm(source)[0].cpu()
                model = masked_lm if name == artifacts.MLM else masked_lm.bert
                write_directory(model, source, directory, params.export.opset)
                judge = _masked_lm if name == artifacts.MLM else _embedding
                found, int8 = judge(params, model, directory, rows)
            metrics[name] = {
                "rows": len(rows),
                "fp32": {"bytes": (directory / FLOAT_FILE).stat().st_size, "greatest_difference": found.greatest_difference},
                "int8": {
                    "bytes": (directory / INT8_FILE).stat().st_size,
                    **{key: Figure.over_rows(value, len(rows)) if isinstance(value, float) else value for key, value in int8.items()},
                },
            }
    artifacts.write_json(artifacts.METRICS / "export.json", write_figures(metrics))


if __name__ == "__main__":
    run("export", main)
