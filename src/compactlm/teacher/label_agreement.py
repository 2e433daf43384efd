"""Check whether the teacher of a task agrees with the labels of augmented copies."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from transformers import BertPreTrainedModel

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.bert.models import load_tokenizer
from compactlm.bert.task_models import load_task_model, run_rows
from compactlm.draws import sample
from compactlm.figures.figure import Figure
from compactlm.params import Params, Task
from compactlm.tasks import kind_of
from compactlm.tasks.segmenting import LibrarySegmenter

ROWS = 1_000  # the share of agreement is measured on this many copies of a task


def judge_copies(
    copies: Sequence[Document], originals: Mapping[str, Document], params: Params
) -> tuple[dict[str, bool], dict[str, dict[str, Any]]]:
    """Let the teacher of each task predict its copies: all of them if disagreement removes a copy, else a sample.

    `originals` has each row by its id. For kinds of task whose answers are not simply right or wrong, the teacher agrees with a copy if it
    gives the same answer to the copy as to the original (Kind.unchanged).

    Returns:
        Whether the teacher agrees with each copy's label, by the copy's id, and the figures of `label_agreement` by task.
    """
    agreed: dict[str, bool] = {}
    agreement = {}
    for name, task in params.tasks.items():
        own = [copy for copy in copies if copy.task == name]
        measured = sample(own, ROWS, params.seed)
        if not measured:
            continue
        judged = own if params.augment.labels == "keep" else measured
        parents = [originals[str(copy.parent)] for copy in measured]
        directory = artifacts.TEACHER / name
        model, tokenizer = load_task_model(directory), load_tokenizer(directory)
        longest = task.maximum_length or params.teacher.maximum_length
        if kind_of(task).right_or_wrong:
            right = agrees(model, tokenizer, task, [*judged, *parents], longest, params.batch_tokens)
            of_originals = right[len(judged) :]
        else:
            before = [originals[str(copy.parent)] for copy in judged]
            right, of_originals = unchanged(model, tokenizer, task, judged, before, longest, params.batch_tokens), None
        agreed.update(zip((copy.id for copy in judged), right[: len(judged)], strict=True))
        agreement[name] = label_agreement(measured, agreed, of_originals)
    return agreed, agreement


def agrees(
    model: BertPreTrainedModel, tokenizer: Any, task: Task, rows: Sequence[Document], maximum_length: int, batch_tokens: int
) -> list[bool]:
    """Return for each row whether a model of the task predicts its label."""
    right = kind_of(task).right(_answers(model, tokenizer, task, rows, maximum_length, batch_tokens), rows, task)
    if right is None:
        raise ValueError(f"answers of the kind {task.kind} are not right or wrong")
    return [bool(one) for one in right]


def unchanged(
    model: BertPreTrainedModel,
    tokenizer: Any,
    task: Task,
    rows: Sequence[Document],
    before: Sequence[Document],
    maximum_length: int,
    batch_tokens: int,
) -> list[bool]:
    """Return for each row whether a model of the task gives the same answer to it as to its original."""
    distinct = {row.id: row for row in before}
    answers = _answers(model, tokenizer, task, [*rows, *distinct.values()], maximum_length, batch_tokens)
    places = {name: len(rows) + at for at, name in enumerate(distinct)}
    earlier = [answers[places[row.id]] for row in before]
    return kind_of(task).unchanged([answers[at] for at in range(len(rows))], earlier, rows, task)


def _answers(
    model: BertPreTrainedModel, tokenizer: Any, task: Task, rows: Sequence[Document], maximum_length: int, batch_tokens: int
) -> Any:
    kind = kind_of(task)
    examples = kind.encode(LibrarySegmenter(tokenizer.backend_tokenizer), rows, task, maximum_length, places=True)
    logits = run_rows(model, examples, batch_tokens, "label agreement")
    return kind.answers(logits, examples, rows, task, model.config.to_dict())


def label_agreement(copies: Sequence[Document], agreed: Mapping[str, bool], originals: Sequence[bool] | None) -> dict[str, Any]:
    """Summarise a classifier's predictions on copies.

    Args:
        copies: the copies, at least one.
        agreed: whether the classifier predicts a copy's label, by the copy's id.
        originals: whether the classifier predicts the label of each copy's parent; None for kinds whose answers are not simply right or
            wrong.

    Returns:
        Figures in JSON: `share` (of the copies whose label the classifier predicts), `originals` (the same share for the copies'
        parents), and `by_augmenter` (share).
    """
    by_augmenter: dict[str, list[bool]] = collections.defaultdict(list)
    for copy in copies:
        by_augmenter[str(copy.augmenter)].append(agreed[copy.id])
    return {
        "share": _share([agreed[copy.id] for copy in copies]),
        **({} if originals is None else {"originals": _share(originals)}),
        "by_augmenter": {name: _share(values) for name, values in sorted(by_augmenter.items())},
    }


def _share(values: Sequence[bool]) -> dict[str, float | int]:
    return Figure.over_rows(sum(values) / len(values), len(values)).to_json()
