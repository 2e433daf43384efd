"""Add labelled rows to the sources of a task, without changing the split of existing rows."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from compactlm import artifacts
from compactlm.corpus.ingest.removed import read_removed
from compactlm.errors import CompactLMError
from compactlm.figures.numbers import interval, percent
from compactlm.improvement.adopting import screening
from compactlm.improvement.adopting.doubtful import Doubts, doubt
from compactlm.improvement.adopting.sources import (
    SPLIT_OF,
    Adopted,
    data_path,
    other_sources,
    read_group,
    read_source,
    read_weights,
    source_name,
    text_id,
    write_group,
    write_source,
)
from compactlm.improvement.labelling.answers import read_answers
from compactlm.improvement.registry import Version, git
from compactlm.params import Params
from compactlm.shards.reports import shown

KIND = "classification"
RANDOM = "random"  # rows that `pick` drew at random join the test set
BEFORE, REMOVED = "adopted before", "removed at a person's request"
SAME_PLACES = ("split.placement", "split.validation", "split.test", "seed")  # on these the places of rows depend
SHOWN = 10


@dataclasses.dataclass(frozen=True)
class Adoption:
    """The result of an adoption.

    Attributes:
        train: the rows that joined the train rows.
        test: the rows that joined the test set.
        relabelled: the number of rows that were adopted before with another label.
        kept_out: the number of rows that are kept out, by reason.
        contradictory: the rows whose text is in the corpus with another label.
        disagreed: the number of rows on which annotators disagree.
        skipped: the number of lines without a text or a label.
        doubts: the labels that a cross-fitted classifier doubts; None with too few rows.
    """

    train: Sequence[Adopted]
    test: Sequence[Adopted]
    relabelled: int
    kept_out: Counter[str]
    contradictory: Sequence[Adopted]
    disagreed: int
    skipped: int
    doubts: Doubts | None


def check_places(params: Params, champion: Version | None) -> None:
    """Raise CompactLMError if new rows would move existing rows of the version in use between train and test."""
    way_out = (
        "set split: {placement: stable} in the preset, train and promote a version with it, and then adopt the rows"
        if champion is not None
        else "set split: {placement: stable} in the preset and run `dvc repro`, and then adopt the rows"
    )
    present = _places(params.model_dump())
    if champion is None:
        if params.split.placement != "stable":
            raise CompactLMError(
                f"split.placement is {params.split.placement}, so new rows would move rows between train and test; {way_out}"
            )
        return
    before = _places(yaml.safe_load(git("show", f"{champion.tag}:params.yaml")))
    if before["split.placement"] != "stable":
        raise CompactLMError(
            f"{champion.tag} was trained without split.placement stable, so new rows would move rows between its train "
            f"and its test set; {way_out}"
        )
    for key, value in before.items():
        if present[key] != value:
            raise CompactLMError(
                f"{key} was {value} for {champion.tag} and is {present[key]} now, which moves rows; set it back in the preset"
            )


def _places(content: dict[str, Any]) -> dict[str, Any]:
    """Return the values of SAME_PLACES; None for values that an older version did not have."""
    split = content.get("split", {})
    return {key: split.get(key.removeprefix("split.")) if "." in key else content.get(key) for key in SAME_PLACES}


def adopt(params: Params, file: Path, task: str, *, held_out: bool, text: str, label: str, weight: float | None = None) -> Adoption:
    """Add the rows of a labelled file to the sources of adopted rows, and write configs/adopted/rows.yaml.

    Rows that `pick` drew at random are added to the test set; with `held_out`, all rows are. All other rows are added to the train rows.
    `text` and `label` are fields of the file. Train contains each adopted row `weight` times (split.weights); None keeps the weight.

    Raises:
        CompactLMError: the file or the task cannot be used, or data/split is missing.
    """
    if task not in params.tasks:
        raise CompactLMError(f"params.yaml has no task {task!r}; choose one of {', '.join(params.tasks)} with --task")
    if params.tasks[task].kind != KIND:
        raise CompactLMError(f"rows are adopted for tasks of the kind {KIND} only, and {task} is of the kind {params.tasks[task].kind}")
    labelled = read_answers(file, params.tasks[task].labels, text, label)
    sources = {kind: source_name(kind, task) for kind in SPLIT_OF}
    present = {kind: {row.id: row for row in read_source(name)} for kind, name in sources.items()}
    rows = [Adopted(row.id, row.text, row.label, row.picked_by) for row in labelled.rows]
    gone, kept_out = read_removed(), Counter[str]()
    relabelled = 0
    waiting: dict[str, list[Adopted]] = {kind: [] for kind in SPLIT_OF}
    for row in rows:
        kind = next((kind for kind, known in present.items() if row.id in known), None)
        if text_id(row.text) in gone:
            kept_out[REMOVED] += 1
        elif kind is None:
            waiting["held_out" if held_out or row.picked_by == RANDOM else "adopted"].append(row)
        elif present[kind][row.id].label == row.label:
            kept_out[BEFORE] += 1
        else:
            present[kind][row.id] = dataclasses.replace(present[kind][row.id], label=row.label)
            relabelled += 1
    placed, old = _placed(task, {SPLIT_OF[kind]: known.values() for kind, known in present.items()})
    found = screening.screen(waiting["adopted"], waiting["held_out"], placed, params)
    doubts = doubt([*found.train, *found.test], old, params.seed, params.bootstrap.confidence, artifacts.EXPORT)
    for kind, new in (("adopted", found.train), ("held_out", found.test)):
        write_source(sources[kind], [*present[kind].values(), *new])
    others = {name: other_sources(params.tasks[name].sources, name) for name in {task, *read_group().get("tasks", {})}}
    write_group(others, read_weights(others) | ({} if weight is None else {task: weight}))
    return Adoption(
        found.train,
        found.test,
        relabelled,
        kept_out + found.counts,
        [row for row, reason in found.kept_out if reason == screening.CONTRADICTORY],
        len(labelled.disagreed),
        labelled.skipped,
        doubts,
    )


def _placed(task: str, adopted: dict[str, Any]) -> tuple[list[screening.Placed], list[artifacts.Document]]:
    """Return all rows that have a split (with adopted rows that were not trained on yet), and the labelled train rows of a task."""
    placed: list[screening.Placed] = []
    old: list[artifacts.Document] = []
    for split in artifacts.SPLITS:
        try:
            rows = artifacts.read_documents(artifacts.SPLIT / split)
        except FileNotFoundError as error:
            raise CompactLMError(f"{error.filename} is missing; run `dvc repro split` first, or `dvc checkout`") from None
        placed += screening.placed_rows(rows, split, task)
        old += [row for row in rows if split == "train" and row.task == task]
    placed += [screening.Placed(row.text, split, row.label) for split, rows in adopted.items() for row in rows]
    return placed, old


def describe(found: Adoption, task: str) -> Iterator[str]:
    """Yield sentences about an adoption."""
    yield f"{len(found.train):,} rows join the train rows of {task}, and {len(found.test):,} its test set."
    if found.relabelled:
        yield f"{found.relabelled:,} rows that were adopted before have a new label."
    for reason, count in sorted(found.kept_out.items()):
        yield f"{count:,} rows are kept out: {reason}."
    if found.disagreed:
        yield f"{found.disagreed:,} rows are left out because annotators disagree; `compactlm label --differing` shows them again."
    if found.skipped:
        yield f"{found.skipped:,} lines have no text or no label."
    for row in found.contradictory[:SHOWN]:
        yield f"another label in the corpus: {row.id[:8]} {shown(row.text)} ({row.label})"
    if found.doubts is not None:
        new, old = (interval(figure, percent) for figure in (found.doubts.new, found.doubts.old))
        yield f"A classifier that has not seen them answers differently for {new} of the new labels, and for {old} of the old ones."
        for row, answer, probability in found.doubts.rows[:SHOWN]:
            yield f"doubtful: {row.id[:8]} {shown(row.text)} ({row.label}; cross-fitted: {answer}, {percent(1 - probability)})"
    names = [name for kind in SPLIT_OF if data_path(name := source_name(kind, task)).is_file()]
    files = " ".join(["configs", "params.yaml", *(f"{data_path(name)}.dvc" for name in names)])
    yield f"Record it with `git add {files} && git commit`, then run `dvc repro`."
