"""Every kind of task from rows to a distilled student, with tiny models."""

import json

import numpy as np
import pytest
import torch
from transformers import BertForMaskedLM

from compactlm.bert.task_models import head_of, load_task_model, run_rows
from compactlm.distillation.examples import TaskExamples, TaskRows
from compactlm.distillation.losses.layer_losses import LayerLosses
from compactlm.distillation.objectives import TaskObjective
from compactlm.distillation.signals.online import OnlineTask
from compactlm.params import FineTuning
from compactlm.student.building import build_task_model
from compactlm.tasks import kind_of, task_of_config
from compactlm.tasks.base import Input, TaskOfModel
from compactlm.tasks.segmenting import LibrarySegmenter
from compactlm.teacher import training as teachers
from compactlm.training.finishing import finish
from compactlm.training.loop import Settings, train
from compactlm.training.task_losses import TaskLosses
from tests.fixtures.builders import make_optimisation

SETTINGS = Settings(seed=3)
LENGTH = 24  # shorter than the passages
FROZEN = ("regression", "tagging")  # with a frozen layer of the teacher, whose output is kept
PEOPLE = ("actor", "people", "dog", "cat")


def named(text):
    words = text.replace(".", " .").replace(",", " ,").split()
    return Input(" ".join(words), words=tuple(words), tags=tuple("B-being" if word in PEOPLE else "O" for word in words))


def asked(number, text):
    # The answer is the place in the text, if there is one.
    passage = f"{text} the music was bad"
    start = passage.find("the river")
    return Input(passage, pair="played by", answer="the river" if start >= 0 else None, answer_start=start)


def numbered(text):
    return Input(text, score=30.0 + 10 * ("good" in text) - 10 * ("bad" in text))


def paired(number, text):
    pair = ("it was good", "it was bad")[number % 2]
    return Input(text, pair=pair, label="yes" if ("good" in text) == ("good" in pair) else "no")


MAKERS = {
    "pairs": paired,
    "multilabel": lambda number, text: Input(text, labels=tuple(word for word in ("film", "good", "river") if word in text)),
    "regression": lambda number, text: numbered(text),
    "tagging": lambda number, text: named(text),
    "span": asked,
}
TASKS = {
    "pairs": TaskOfModel("classification", ("no", "yes"), "accuracy", pair=True),
    "multilabel": TaskOfModel("multilabel", ("film", "good", "river"), "mean_average_precision"),
    "regression": TaskOfModel("regression", (), "spearman"),
    "tagging": TaskOfModel("tagging", ("being",), "entity_f1"),
    "span": TaskOfModel("span", (), "f1", stride=4),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_teacher_and_student_learn_a_task(
    tmp_path, tiny_bert, tiny_tokenizer, student_tokenizer, kept, tiny_texts, losses, build_student, name
):
    task, kind = TASKS[name], kind_of(TASKS[name])
    rows = [MAKERS[name](number, text) for number, text in enumerate(tiny_texts)]
    assert all(kind.invalid(row, task) is None for row in rows)
    theirs, own = (LibrarySegmenter(one.backend_tokenizer) for one in (tiny_tokenizer, student_tokenizer))

    teacher = teachers.build_task_model(tiny_bert, task, seed=1)
    tuning = FineTuning(
        frozen_layers=int(name in FROZEN),
        cache_gigabytes=1.0,
        optimisation=make_optimisation(learning_rate=0.005, batch_tokens=512, epochs=12 + 24 * (name in FROZEN)),
    )
    encoded = kind.encode(theirs, rows, task, LENGTH)
    teachers.fine_tune(name, teacher, [one for row in encoded for one in row], task, tuning, SETTINGS)
    (taught,) = [finish(teacher, theirs, rows, task, LENGTH, 512, "t", teacher=True)[task.metric]]
    chance = kind.chance(rows, task, np.ones((1, len(rows))))[0]
    assert taught.value > chance + 0.5 * (1 - chance)

    encoded = kind.encode(own, rows, task, LENGTH)
    examples = [one for row in encoded for one in row]
    targets = [one.target for one in examples]
    seconds = [one.second for one in examples]
    sequences = TaskRows(
        [str(at) for at in range(len(examples))],
        [one.input_ids for one in examples],
        targets,
        [1.0] * len(examples),
        None if all(start is None for start in seconds) else seconds,
        TaskLosses(kind, task, targets),
    )
    student = build_task_model(build_student(BertForMaskedLM), task, seed=2)
    source = OnlineTask(teacher, kept, [0, 1, 2])
    section = losses("task", soft_weight=1.0, hard_weight=1.0, hidden={"weight": 1.0})
    objective = TaskObjective(
        student, LayerLosses(student.bert, teacher.bert, source.layers, torch.eye(32)[:16], section), section, sequences.losses
    )
    train(
        name, objective, TaskExamples(sequences, source), make_optimisation(learning_rate=0.01, batch_tokens=512, epochs=25), SETTINGS, None
    )
    sequences.losses.fold(head_of(student))
    (learnt,) = [finish(student, own, rows, task, LENGTH, 512, "s")[task.metric]]
    assert learnt.value > chance + 0.5 * (1 - chance)

    # The model on disk is the same task with the same answers.
    student.save_pretrained(tmp_path)
    again = load_task_model(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    found = task_of_config(config)
    assert (found.kind, found.metric, found.pair) == (task.kind, task.metric, kind.reads_pairs(task))
    examples = kind.encode(own, rows, found, LENGTH, places=True)
    answers = kind.answers(run_rows(again, examples, 512, "s"), examples, rows, found, config)
    assert kind.measure(answers, rows, found, np.ones((1, len(rows))), config)[task.metric][0] == pytest.approx(learnt.value)
