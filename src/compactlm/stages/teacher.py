"""Get the teacher, fine-tune it for each task, and measure it."""

from __future__ import annotations

import shutil

from transformers import BertForMaskedLM

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.runtime import prepare
from compactlm.bert.sentence_encoder.modules import is_sentence_encoder
from compactlm.bert.sentence_encoder.writing import copy_modules
from compactlm.bert.words_to_mask import choose_words, top1
from compactlm.figures.figure import Figure, write_figures
from compactlm.params import Params
from compactlm.pipeline.run import run
from compactlm.shapes.layers import check_both_phases
from compactlm.tasks import kind_of
from compactlm.tasks.segmenting import LibrarySegmenter
from compactlm.teacher import training as teachers
from compactlm.teacher.checks import check_count, check_teacher
from compactlm.teacher.sources import teacher_card, teacher_directory
from compactlm.training.checkpoints import Checkpoint, fingerprint
from compactlm.training.energy import tracked
from compactlm.training.finishing import finish
from compactlm.training.loop import Settings

CHECKPOINTS = artifacts.CHECKPOINTS / "teacher"


def main(params: Params) -> None:
    """Run the stage."""
    prepare(params.threads, params.seed)
    teacher, length = params.teacher, params.teacher.maximum_length
    settings = Settings(params.seed, params.precision)
    used = params.model_dump(mode="json", include={"seed", "threads", "precision", "tasks", "teacher"})
    train = artifacts.read_documents(artifacts.SPLIT / "train")
    validation = artifacts.read_documents(artifacts.SPLIT / "validation")
    metrics: dict[str, object] = {}
    timings: dict[str, object] = {}
    with (
        tracked(params.energy, main_process=True) as energy,
        artifacts.replacing(artifacts.TEACHER) as unfinished,
        teacher_directory(teacher.source) as source,
    ):
        check_teacher(source, length)
        key = fingerprint(used, [artifacts.SPLIT / "train", source])
        tokenizer = models.load_tokenizer(source)
        base = models.load_base(source)
        parameters = models.count_with_head(base)
        check_count(parameters, teacher.parameters)
        check_both_phases(params, base.config, isinstance(base, BertForMaskedLM))  # here, so that hours of training are not lost
        models.save(base, tokenizer, unfinished / artifacts.BASE)
        if is_sentence_encoder(source):
            copy_modules(source, unfinished / artifacts.BASE)
        if isinstance(base, BertForMaskedLM):
            words = choose_words({row.id: row.text for row in validation}, [tokenizer], teacher.validation_words, params.seed)
            right = top1(base, tokenizer, words, length, params.batch_tokens, "teacher, masked words")
            metrics["mlm"] = {"top1": Figure.over_rows(right, len(words))}
        segmenter = LibrarySegmenter(tokenizer.backend_tokenizer)
        for name, task in params.tasks.items():
            longest, checkpoint = task.length(length), Checkpoint(CHECKPOINTS / name, key)
            model = teachers.build_task_model(source, task, params.seed)
            rows = [row for row in train if row.task == name]
            kind = kind_of(task)
            encoded = [kind.trained(*one) for one in zip(kind.encode(segmenter, rows, task, longest), rows, strict=True)]
            examples = [one for row in encoded for one in row]
            ids = [row.id for row, parts in zip(rows, encoded, strict=True) for _ in parts]
            tuning = teacher.fine_tuning.model_copy(update={"optimisation": task.teacher.applied(teacher.fine_tuning.optimisation)})
            timings[name] = teachers.fine_tune(name, model, examples, task, tuning, settings, checkpoint, ids).speed()
            held_out = [row for row in validation if row.task == name]
            metrics[name] = finish(model, segmenter, held_out, task, longest, params.batch_tokens, f"teacher, {name}", teacher=True)
            models.save(model, tokenizer, unfinished / name)
    metrics["parameters"] = parameters
    artifacts.write_json(artifacts.METRICS / "teacher.json", write_figures(metrics))
    artifacts.write_text(artifacts.TEACHER_CARD, teacher_card(teacher.source, parameters))
    artifacts.write_json(artifacts.TIMINGS / "teacher.json", {**timings, **({"energy": energy} if energy else {})})
    shutil.rmtree(CHECKPOINTS, ignore_errors=True)


if __name__ == "__main__":
    run("teacher", main)
