"""How the student came about: learning curves, what other sizes give, and what each part of the recipe is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from compactlm.report.blocks import Block, Chart, Section, Table
from compactlm.report.drawings.line_chart import Axis, Series, draw_lines
from compactlm.report.findings import Findings
from compactlm.figures.numbers import TOO_FEW, count, percent, plain, words

LOSS = "loss"
SAME_TEACHER = 0.005  # of accuracy: further apart, the shapes of the frontier had another teacher or other data
MARK = "_judged"  # of what stands under the same name without it
OF_ABLATIONS = "default"  # the preset that they belong to


def learning(found: Findings) -> Section:
    """Return the section of learning curves."""
    blocks: list[Block] = []
    for phase, losses in found.curves.items():
        names = sorted(losses, key=lambda name: (name != LOSS, name))
        series = [Series(words(name), losses[name]) for name in names]
        title = f"Learning curves, {words(phase)}"
        ends = "; ".join(f"{words(name)} from {losses[name][0][1]:.3g} to {losses[name][-1][1]:.3g}" for name in names)
        last = f"{ends}, in {losses[names[0]][-1][0]:,.0f} steps."
        svg = draw_lines(title, last, Axis("step"), Axis("loss", low=0.0), series)
        blocks.append(Chart(f"{title}: {last}", svg))
    blocks.append(_ends(found))
    lead = "Losses on the train rows while the student learns from the teacher; loss is the weighted sum of the others."
    return Section("learning", "Learning curves", lead, blocks)


def end_rows(found: Findings) -> list[list[str]]:
    """Return what each phase of training came to: name of the phase, of the figure, and the figure."""
    rows = []
    for phase, figures in found.metrics["distill-train"].items():
        flat = dict(_flat(figures))
        for name, value in flat.items():
            if not name.endswith(MARK):
                few = f", {TOO_FEW}" if flat.get(f"{name}{MARK}") == 0 else ""
                rows.append([words(phase), words(name), f"{plain(value)}{few}"])
    return rows


def _flat(figures: Mapping[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{name} ")
        elif not isinstance(value, bool) and isinstance(value, int | float):
            found.append((f"{prefix}{name}", float(value)))
    return found


def _ends(found: Findings) -> Table:
    return Table("Where training ended; validation figures are of validation rows", ["phase", "figure", "value"], end_rows(found))


def sizes(found: Findings) -> Section:
    """Return the section of quality against parameters: the shapes of the frontier where there is one, and this run."""
    blocks: list[Block] = []
    size = found.metrics["evaluate"]["size"]
    shapes = comparable_shapes(found)
    for name, task in found.tasks.items():
        kept, share = task["student"] / task["teacher"] if task["teacher"] else 0.0, size["ratio"]
        series = [
            Series("teacher", [(1.0, 1.0)], joined=False),
            Series("student of this run", [(share, kept)], joined=False),
        ]
        if shapes:
            drawn = sorted((shape["share"], shape["retention"], shape["name"]) for shape in shapes)
            series.append(Series("shapes of the frontier", [(x, y) for x, y, _ in drawn], [str(name) for _, _, name in drawn]))
        title = f"Quality against parameters on {words(name)}"
        told = f"This run keeps {percent(kept)} of the accuracy with {percent(share)} of the parameters."
        across, up = Axis("parameters, of the teacher's", low=0.0, high=1.05, percent=True), Axis("accuracy kept", percent=True)
        blocks.append(Chart(f"{title}. {told}", draw_lines(title, told, across, up, series)))
    if shapes:
        rows = [
            [str(one["name"]), count(one["parameters"]), *(percent(one[key]) for key in ("share", "retention", "masked_words_retention"))]
            for one in shapes
        ]
        head = ["shape", "parameters", "of the teacher's", "accuracy kept", "masked words kept"]
        blocks.append(Table("Shapes of the frontier, layers by hidden size, each trained alike", head, rows))
    lead = "What the student keeps for its size."
    if shapes:
        lead += " The shapes of the frontier are from runs of their own with one teacher (`make frontier`), not from this one."
        changed = other_settings(found, found.frontier["overrides"])
        if changed:
            lead += f" They were trained otherwise, so hold them against each other and not against this run: {'; '.join(changed)}."
    return Section("size", "Quality against parameters", lead, blocks)


def other_settings(found: Findings, overrides: Iterable[str]) -> list[str]:
    """Return how the settings of other runs, whose overrides these are, differ from this run's."""
    told = []
    for override in overrides:
        key, _, value = override.partition("=")
        own: Any = found.params.model_dump(mode="json")
        for name in key.split("."):
            own = own.get(name) if isinstance(own, Mapping) else None
        if own is not None and str(own) != value:
            told.append(f"{key} {value} (here {own})")
    return told


def comparable_shapes(found: Findings) -> list[dict[str, Any]]:
    """Return the shapes of the frontier, where they had the teacher that this run has: figures of other data would mislead."""
    if len(found.tasks) != 1:
        return []
    [task] = found.tasks.values()
    shapes: list[dict[str, Any]] = found.frontier.get("shapes", [])
    return [shape for shape in shapes if abs(shape["teacher"] - task["teacher"]) <= SAME_TEACHER]


def ablations(found: Findings) -> Section | None:
    """Return the section of ablations; None where none were made."""
    blocks: list[Block] = []
    for seed, phases in found.ablations.items() if found.params.preset == OF_ABLATIONS else ():
        for phase, variants in phases.items():
            named = {name for figures in variants.values() for name in figures}
            names = sorted(name for name in named if name.startswith("validation_") and not name.endswith(MARK))
            rows = [
                [variant, *(percent(figures[name]) if name in figures else "" for name in names)]
                for variant, figures in sorted(variants.items(), key=lambda item: _key(item[1], names))
            ]
            caption = f"{words(phase).capitalize()} distillation, seed {seed}, on validation rows"
            blocks.append(Table(caption, ["variant", *map(words, names)], rows))
    lead = (
        "What each part of the recipe is worth: the same training with one part changed, in runs of their own. All of them, the row "
        "as it is among them, were trained for fewer epochs than the default experiment (`common` in configs/ablations.yaml): hold "
        "them against each other, and not against this run."
    )
    return Section("ablations", "Ablations", lead, blocks) if blocks else None


def _key(figures: Mapping[str, float], names: list[str]) -> list[float]:
    return [-figures.get(name, 0.0) for name in names]
