"""Training: learning curves, the quality of other sizes, and what each part of the recipe contributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from compactlm.evaluation.review.directions import VALIDATION
from compactlm.figures.figure import Figure
from compactlm.figures.metric_names import metric_name
from compactlm.figures.numbers import count, percent, plain, stated, words
from compactlm.report.blocks import Block, Chart, Section, Table
from compactlm.report.drawings.line_chart import Axis, Series, draw_lines
from compactlm.report.findings import Findings

LOSS = "loss"
SAME_TEACHER = 0.005  # greatest difference between the accuracies of one teacher
OF_ABLATIONS = "default"  # the preset of the ablations
OTHER_SETTINGS = " Their settings differ from those of this run, so compare them only with each other: "


def learning(found: Findings) -> Section:
    """Return the section of learning curves."""
    blocks: list[Block] = []
    for phase, losses in found.curves.items():
        names = sorted(losses, key=lambda name: (name != LOSS, name))
        series = [Series(words(name), losses[name]) for name in names]
        title = f"Learning curves, {words(phase)}"
        ends = "; ".join(f"{words(name)} from {losses[name][0][1]:.3g} to {losses[name][-1][1]:.3g}" for name in names)
        note = f"{ends}, in {losses[names[0]][-1][0]:,.0f} steps."
        svg = draw_lines(title, note, Axis("step"), Axis("loss", low=0.0), series)
        blocks.append(Chart(f"{title}: {note}", svg))
    caption = "Figures at the end of training. Validation figures are from validation rows."
    blocks.append(Table(caption, ["phase", "figure", "value"], end_rows(found)))
    lead = "Losses on the train rows while the student learns from the teacher. The loss is the weighted sum of the other losses."
    return Section("learning", "Learning curves", lead, blocks)


def end_rows(found: Findings) -> list[list[str]]:
    """Return the figures at the end of each phase of training: phase, name and value."""
    return [
        [words(phase), words(name), stated(value) if isinstance(value, Figure) else plain(value)]
        for phase, figures in found.metrics["distill-train"].items()
        for name, value in _flat(figures)
    ]


def _flat(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float | Figure]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name} ")
        elif isinstance(value, int | float | Figure) and not isinstance(value, bool):
            yield f"{prefix}{name}", value


def sizes(found: Findings) -> Section:
    """Return the section of quality against parameters: this run, and the shapes of the frontier if there are any."""
    blocks: list[Block] = []
    share = found.metrics["evaluate"]["size"]["ratio"]
    shapes = comparable_shapes(found)
    for name, task in found.tasks.items():
        kept = task["student"] / task["teacher"] if task["teacher"] else 0.0
        series = [Series("teacher", [(1.0, 1.0)], joined=False), Series("student of this run", [(share, kept)], joined=False)]
        if shapes:
            drawn = sorted((shape["share"], shape["retention"], shape["name"]) for shape in shapes)
            series.append(Series("shapes of the frontier", [(x, y) for x, y, _ in drawn], [str(name) for _, _, name in drawn]))
        title = f"Quality against parameters on {words(name)}"
        figure = metric_name(found.params.tasks[name].metric)
        note = f"This run keeps {percent(kept)} of the {figure} with {percent(share)} of the parameters."
        across, up = Axis("share of the teacher's parameters", low=0.0, high=1.05, percent=True), Axis(f"{figure} kept", percent=True)
        blocks.append(Chart(f"{title}. {note}", draw_lines(title, note, across, up, series)))
    lead = "The quality that the student keeps for its size."
    if shapes:
        rows = [
            [str(one["name"]), count(one["parameters"]), *(percent(one[key]) for key in ("share", "retention", "masked_words_retention"))]
            for one in shapes
        ]
        head = ["shape", "parameters", "share of the teacher's", "accuracy kept", "masked words kept"]
        blocks.append(Table("Shapes of the frontier (layers x hidden size), all trained in the same way", head, rows))
        lead += " The shapes of the frontier come from separate runs with one teacher (`make frontier`)."
        lead += other_settings(found, found.frontier["overrides"])
    return Section("size", "Quality against parameters", lead, blocks)


def other_settings(found: Findings, overrides: Iterable[str]) -> str:
    """Describe how the `key=value` overrides of other runs differ from the settings of this run; "" if they do not differ."""
    different = []
    for override in overrides:
        key, _, value = override.partition("=")
        own: Any = found.params.model_dump(mode="json")
        for name in key.split("."):
            own = own.get(name) if isinstance(own, Mapping) else None
        if own is not None and str(own) != value:
            different.append(f"{key} {value} (here {own})")
    return f"{OTHER_SETTINGS}{'; '.join(different)}." if different else ""


def comparable_shapes(found: Findings) -> list[dict[str, Any]]:
    """Return the shapes of the frontier if their teacher has the accuracy of this run's teacher."""
    if len(found.tasks) != 1:
        return []
    [task] = found.tasks.values()
    shapes: list[dict[str, Any]] = found.frontier.get("shapes", [])
    return [shape for shape in shapes if abs(shape["teacher"] - task["teacher"]) <= SAME_TEACHER]


def ablations(found: Findings) -> Section | None:
    """Return the section of ablations; None if there are none."""
    blocks: list[Block] = []
    for seed, phases in found.ablations.items() if found.params.preset == OF_ABLATIONS else ():
        for phase, variants in phases.items():
            names = [name for name in VALIDATION if any(name in figures for figures in variants.values())]
            ordered = sorted(variants.items(), key=lambda item: [-item[1].get(name, 0.0) for name in names])
            rows = [[variant, *(percent(figures[name]) if name in figures else "" for name in names)] for variant, figures in ordered]
            caption = f"{words(phase).capitalize()} distillation, seed {seed}, on validation rows"
            blocks.append(Table(caption, ["variant", *map(words, names)], rows))
    lead = (
        "The effect of each part of the recipe: the same training with one part changed, in separate runs. All variants, including the "
        "unchanged one, were trained for fewer epochs than the default experiment (`common` in configs/ablations.yaml). Compare them only "
        "with each other."
    )
    return Section("ablations", "Ablations", lead, blocks) if blocks else None
