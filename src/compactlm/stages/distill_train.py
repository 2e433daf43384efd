"""Distil the students: the masked language model on unlabelled text, the sentence encoder, and one for each task."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import Any

from transformers import BertPreTrainedModel

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.runtime import prepare
from compactlm.bert.sentence_encoder.dense import Dense
from compactlm.bert.sentence_encoder.writing import write_modules
from compactlm.distillation.embedding_inputs import EMBEDDING, TABLE, TOKENS
from compactlm.distillation.inputs import GENERAL
from compactlm.distillation.phases import Phases
from compactlm.draws import draw_items
from compactlm.figures.figure import write_figures
from compactlm.inference.embedding import fewest_texts, fit_projection
from compactlm.inference.runtime.model import Model
from compactlm.params import Params
from compactlm.pipeline.run import run
from compactlm.student.sentence_student import SentenceStudent
from compactlm.training import processes
from compactlm.training.checkpoints import Checkpoint, fingerprint
from compactlm.training.energy import tracked

EMBEDDING_TEXTS = 4096  # more texts change the projection only as much as another sample does
CHECKPOINTS = artifacts.CHECKPOINTS / "distill-train"
# The parameters that training depends on, as dvc.yaml lists them; it lists also those of the figures and the energy.
USED = (
    *("seed", "threads", "precision", "batch_tokens", "tasks"),
    *("student.layers", "student.hidden_size", "student.attention_heads", "student.intermediate_size", "student.maximum_positions"),
    *("student.budget", "student.initialisation"),
    *("signals.source", "signals.layers", "signals.general", "signals.embedding", "signals.task"),
    *("distill.general", "distill.embedding", "distill.task"),
    *("tokenize.maximum_length", "teacher.maximum_length"),  # online signals compute with them; cached ones have the sha256 of both
)


def _checkpoints(params: Params) -> dict[str, Checkpoint]:
    content = params.model_dump(mode="json")
    used = {key: functools.reduce(lambda section, part: section[part], key.split("."), content) for key in USED}
    # cache.json has the sha256 of the cached signals, so their gigabytes need not be read.
    signals = sorted(path for name in ("cache.json", "rows.parquet") for path in artifacts.SIGNALS.glob(f"*/{name}"))
    key = fingerprint(used, [artifacts.TOKENIZED, artifacts.WEIGHTED, artifacts.COUNTERFACTUAL, artifacts.TEACHER, *signals])
    return {phase: Checkpoint(CHECKPOINTS / phase, key) for phase in (GENERAL, TABLE, TOKENS, EMBEDDING, *params.tasks)}


def _fit_embedding(directory: Path, params: Params) -> None:
    """Save the projection for sentence embeddings next to the masked language model, if there are enough texts to fit it."""
    train = artifacts.read_table(artifacts.SPLIT / "train").to_pylist()
    texts = [row["text"] for row in draw_items(train, EMBEDDING_TEXTS, "embedding", params.seed, key=lambda row: row["id"])]
    if len(texts) >= fewest_texts(params.student.hidden_size):
        model = Model(directory, artifacts.MLM, "embedding", "torch", params.threads)
        fit_projection(model, texts).save(directory)


def _write_encoder(student: SentenceStudent, tokenizer: Any, directory: Path, maximum_length: int) -> None:
    """Write the student of the phase embedding in sentence-transformers' format."""
    models.save(student.bert, tokenizer, directory)
    weight, bias = (tensor.detach().float().cpu().numpy() for tensor in (student.dense.weight, student.dense.bias))
    write_modules(directory, dense=[Dense(weight, bias)], maximum_length=maximum_length)


def _write(phases: Phases, students: dict[str, BertPreTrainedModel], encoder: SentenceStudent | None, energy: dict[str, Any]) -> None:
    tokenizer = phases.inputs.tokenizer
    with artifacts.replacing(artifacts.STUDENT) as unfinished:
        for name, student in students.items():
            models.save(student, tokenizer, unfinished / name)
        if encoder:
            _write_encoder(encoder, tokenizer, unfinished / EMBEDDING, phases.params.student.maximum_positions)
        else:
            _fit_embedding(unfinished / artifacts.MLM, phases.params)
    artifacts.write_json(artifacts.METRICS / "distill-train.json", write_figures(phases.metrics))
    artifacts.write_json(artifacts.TIMINGS / "distill-train.json", {**phases.timings, **({"energy": energy} if energy else {})})
    shutil.rmtree(CHECKPOINTS, ignore_errors=True)


def main(params: Params) -> None:
    """Run the stage. Under `accelerate launch` it runs in every process."""
    prepare(params.threads, params.seed)
    # This call comes first: it lets each process choose its device before any model is loaded.
    with tracked(params.energy, processes.is_main_process()) as energy:
        phases = Phases(params, _checkpoints(params), artifacts.CURVES)
        general, components = phases.general()
        students: dict[str, BertPreTrainedModel] = {artifacts.MLM: general}
        encoder = phases.embedding(general)
        for name in params.tasks:
            students[name] = phases.task(name, *phases.start_of_tasks(general, components, encoder))
    processes.on_main(_write, phases, students, encoder, energy)
    processes.leave()


if __name__ == "__main__":
    run("distill-train", main)
