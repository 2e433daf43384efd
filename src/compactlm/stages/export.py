"""Export the student to ONNX, in fp32 and int8, and compare both files with the original model on test rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm
from transformers import BertPreTrainedModel

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.arrays import Array
from compactlm.bert.runtime import prepare
from compactlm.bert.sentence_encoder.encoding import SentenceEncoder
from compactlm.bert.sentence_encoder.modules import SentenceModules, is_sentence_encoder
from compactlm.bert.task_models import load_task_model
from compactlm.bert.words_to_mask import mask_one
from compactlm.corpus.queries import passages_with_queries
from compactlm.draws import draw_items
from compactlm.evaluation.embeddings.comparing import measure_embedding
from compactlm.evaluation.embeddings.material import make_material
from compactlm.evaluation.embeddings.vectors import Cached
from compactlm.export import agreement
from compactlm.export.answers import choose_thresholds
from compactlm.export.directory import write_directory
from compactlm.export.task_agreement import check_metric_loss, measure_metric
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Figure, write_figures
from compactlm.improvement.reference import FOLDER, make_reference, write_reference
from compactlm.inference.embedding import SentenceEmbedding
from compactlm.inference.runtime.directories import EMBEDDING, FLOAT_FILE, INT8_FILE
from compactlm.inference.runtime.measured import write_top1
from compactlm.inference.runtime.model import Model
from compactlm.inference.search.thresholds import write_thresholds
from compactlm.params import Params
from compactlm.params.suites import read_questions
from compactlm.pipeline.run import run
from compactlm.tasks import kind_of
from compactlm.tasks.segmenting import LibrarySegmenter

BATCH_TOKENS = 4096  # the upper limit: vocabulary logits of three models are in memory at once


def _load(params: Params, name: str) -> tuple[BertPreTrainedModel, Path]:
    """Return the model to export, on the CPU, and the directory with its config.json and tokenizer."""
    if name in params.tasks:
        return load_task_model(artifacts.STUDENT / name).cpu(), artifacts.STUDENT / name
    if name == EMBEDDING and (artifacts.STUDENT / EMBEDDING).is_dir():
        return models.load_body(artifacts.STUDENT / EMBEDDING).cpu(), artifacts.STUDENT / EMBEDDING
    source = artifacts.STUDENT / artifacts.MLM
    masked_lm = models.load_masked_lm(source)[0].cpu()
    return masked_lm if name == artifacts.MLM else masked_lm.bert, source


def _export(params: Params, name: str, rows: list[dict[str, Any]], directory: Path) -> dict[str, Any]:
    """Write one model and return its metrics."""
    model, source = _load(params, name)
    write_directory(model, source, directory, params.export.opset)
    sequences, expected = [row["input_ids"] for row in rows], None
    read: agreement.Reading = agreement.likeliest_label if name in params.tasks else agreement.mean_of
    if name == artifacts.MLM:
        mask = models.load_tokenizer(source).mask_token_id
        masked = [mask_one(row["input_ids"], mask, f"{params.seed}/{row['id']}") for row in rows]
        sequences, expected = ([getattr(item, part) for item in masked] for part in ("sequence", "target"))
        read = agreement.likeliest_at([item.position for item in masked])
    elif name in params.tasks:
        expected = [params.tasks[name].labels.index(row["label"]) for row in rows]
    batch_tokens = min(params.batch_tokens, BATCH_TOKENS)
    dense = SentenceModules.read(source).dense if name == EMBEDDING and is_sentence_encoder(source) else ()
    found = agreement.compare(model, directory, sequences, read, batch_tokens, params.threads, f"check the ONNX of {name}", dense)
    agreement.check_difference(found, params.export.tolerance, artifacts.EXPORT / name / FLOAT_FILE)
    if expected is None:
        int8 = agreement.measure_cosines(found)
    else:
        loss = agreement.measure_loss(expected, found)
        int8 = dataclasses.asdict(loss)
        if name == artifacts.MLM:
            write_top1(directory, loss.original_accuracy, loss.int8_accuracy, len(rows))
        if name in params.tasks:
            agreement.check_loss(loss, len(rows), params.export.accuracy_loss, artifacts.EXPORT / name / INT8_FILE)
    figures = {key: Figure.over_rows(value, len(rows)) if isinstance(value, float) else value for key, value in int8.items()}
    return _metrics(directory, len(rows), found, figures)


def _metrics(directory: Path, rows: int, found: agreement.Comparison, figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics of one model; `figures` are those of its int8 file."""
    return {
        "rows": rows,
        "fp32": {"bytes": (directory / FLOAT_FILE).stat().st_size, "greatest_difference": found.greatest_difference},
        "int8": {"bytes": (directory / INT8_FILE).stat().st_size, **figures},
    }


def _export_task(params: Params, name: str, rows: list[artifacts.Document], directory: Path) -> dict[str, Any]:
    """Write the model of a task that is not a classification of single texts, and return its metrics."""
    task, source = params.tasks[name], artifacts.STUDENT / name
    model = load_task_model(source).cpu()
    write_directory(model, source, directory, params.export.opset)
    segmenter = LibrarySegmenter(models.load_tokenizer(source).backend_tokenizer)
    examples = kind_of(task).encode(segmenter, rows, task, task.length(params.tokenize.maximum_length), places=True)
    flat = [one for parts in examples for one in parts]
    sequences, seconds = [one.input_ids for one in flat], [one.second for one in flat]
    batch_tokens = min(params.batch_tokens, BATCH_TOKENS)
    title = f"check the ONNX of {name}"
    found = agreement.compare(model, directory, sequences, agreement.outputs_of, batch_tokens, params.threads, title, seconds=seconds)
    agreement.check_difference(found, params.export.tolerance, artifacts.EXPORT / name / FLOAT_FILE)
    settings = model.config.to_dict()
    figures = measure_metric(found, examples, rows, task, settings, Resampler.of(params.bootstrap, params.seed))
    check_metric_loss(figures["metric_loss"], task.metric, params.export.accuracy_loss, artifacts.EXPORT / name / INT8_FILE)
    return _metrics(directory, len(rows), found, figures)


def _quality(params: Params, root: Path) -> dict[str, Figure]:
    """Return the figures of the int8 sentence encoder: the same figures on the same texts as `evaluate` measures for the student."""
    train, test = (artifacts.read_documents(artifacts.SPLIT / name) for name in ("train", "test"))
    material = make_material(params.evaluate.embedding, train, test, params.tasks, {}, params.seed)
    model = Model(root, EMBEDDING, "embedding", "int8", params.threads)
    # evaluate truncates, so the difference is that of int8 alone.
    quantized = SentenceEmbedding(model, modules=SentenceModules.read(model.directory.path), truncate=True)
    teacher = SentenceEncoder.load(artifacts.TEACHER / artifacts.BASE)

    def of_teacher(texts: Sequence[str]) -> Array:
        return teacher.encode(texts, params.batch_tokens, "teacher, sentence embedding")

    return measure_embedding(Cached(quantized.embed), of_teacher, material, Resampler.of(params.bootstrap, params.seed))


def _write_thresholds(params: Params, root: Path) -> None:
    """Choose the thresholds of `answer` with the fp32 file, and write them next to it."""
    validation = artifacts.read_documents(artifacts.SPLIT / "validation")
    passages = passages_with_queries(validation, sources=params.evaluate.embedding.retrieval)
    pairs = [pair for kind in read_questions().validation.values() for pair in kind]
    embedding = SentenceEmbedding.open(Model(root, EMBEDDING, "embedding", "onnx", params.threads))
    settings = params.export
    found = choose_thresholds(embedding, pairs, passages, settings.wrong_answers, settings.answer_questions, params.seed)
    write_thresholds(root / EMBEDDING, found)


def _write_references(params: Params, root: Path) -> None:
    """Write the sample of each task with which `watch` compares new text."""
    validation = artifacts.read_documents(artifacts.SPLIT / "validation")
    embedding = SentenceEmbedding.open(Model(root, EMBEDDING, "embedding", "onnx", params.threads))
    for name in params.tasks:
        own = [row for row in validation if row.task == name]
        rows = draw_items(own, params.export.reference_rows, "reference", params.seed, key=lambda row: row.id)
        model, expected = None, None
        if params.tasks[name].kind == "classification" and not params.tasks[name].pair:
            model = Model(root, name, "task", "onnx", params.threads)
            expected = [params.tasks[name].labels.index(str(row.label)) for row in rows]
        made = make_reference([row.text for row in rows], expected, embedding, model)
        write_reference(root / FOLDER / name, *made)


def main(params: Params) -> None:
    """Run the stage."""
    prepare(params.threads, params.seed)
    test = artifacts.read_table(artifacts.TOKENIZED / "test").to_pylist()
    metrics = {}
    with artifacts.replacing(artifacts.EXPORT) as unfinished:
        for name in tqdm((artifacts.MLM, EMBEDDING, *params.tasks), desc="export", unit="model"):
            task = params.tasks.get(name)
            if task and (task.kind != "classification" or task.pair):
                own = [row for row in artifacts.read_documents(artifacts.SPLIT / "test") if row.task == name]
                drawn = draw_items(own, params.export.check_rows, "export", params.seed, key=lambda row: row.id)
                metrics[name] = _export_task(params, name, drawn, unfinished / name)
                continue
            candidates = [row for row in test if name not in params.tasks or row["task"] == name]
            count = params.export.check_rows if name in params.tasks else params.export.general_rows
            rows = draw_items(candidates, count, "export", params.seed, key=lambda row: row["id"])
            metrics[name] = _export(params, name, rows, unfinished / name)
        if is_sentence_encoder(unfinished / EMBEDDING):
            metrics[EMBEDDING]["int8"] |= _quality(params, unfinished)
            _write_thresholds(params, unfinished)
        _write_references(params, unfinished)
    artifacts.write_json(artifacts.METRICS / "export.json", write_figures(metrics))


if __name__ == "__main__":
    run("export", main)
