"""Cost: size and operations, which are the same on any machine, and time, memory and energy on the machine of this run."""

from __future__ import annotations

from typing import Any

from compactlm.evaluation.paired import ROLES
from compactlm.figures.figure import Figure
from compactlm.figures.numbers import compact, count, duration, interval, percent, significant, size, status, words
from compactlm.report.blocks import WEAK, Block, Cell, Section, Table
from compactlm.report.findings import Findings

WORLD = "world average"


def cost(found: Findings) -> Section:
    """Return the section of costs that do not depend on the machine."""
    counted = found.metrics["evaluate"]["size"]
    rows = []
    for key, text, show in (
        ("parameters", "parameters", count),
        ("bytes", "size on disk, safetensors", size),
        ("multiply_adds_a_token", f"multiply-adds per token, for {found.params.evaluate.timings.tokens} tokens", count),
    ):
        values = [counted[f"{role}_{key}"] for role in ROLES]
        rows.append([text, *map(show, values), percent(values[1] / values[0])])
    tables = [Table("Size and work", ["cost", *ROLES, "student / teacher"], rows)]
    exported = [[words(name), *_exported(one)] for name, one in found.metrics["export"].items() if "fp32" in one]
    tables.append(Table("Exported models, compared with the original", ["model", "fp32", "int8", "int8 against the original"], exported))
    lead = (
        "The ratio is conservative: it counts the student's largest model (masked words or task) and the teacher's smallest. "
        "The projection of the sentence embedding counts in the bytes only."
    )
    return Section("cost", "Cost", lead, tables)


def _exported(one: dict[str, Any]) -> list[str | Cell]:
    fp32, int8 = one["fp32"], one["int8"]
    values = {key: value for key, value in int8.items() if key != "bytes"}
    texts = [f"{words(key)} {interval(value, compact) if isinstance(value, Figure) else compact(value)}" for key, value in values.items()]
    few = next((value for value in values.values() if isinstance(value, Figure) and not value.judged), None)
    return [size(fp32["bytes"]), size(int8["bytes"]), Cell("; ".join([*texts, status(few)] if few else texts), WEAK if few else "")]


def machine(found: Findings) -> Section | None:
    """Return the section of numbers that depend on the machine; None if nothing was timed."""
    blocks: list[Block] = [*_speed(found), *_training(found)]
    lead = "Time, memory and energy on the machine of this run. Other machines give other numbers. No comparison of runs uses them."
    return Section("machine", "On the machine of this run", lead, blocks, machine=True) if blocks else None


def _speed(found: Findings) -> list[Block]:
    models = {name: found.speed[name] for name in sorted(found.speed, key=lambda name: (name not in ROLES, name != "teacher", name))}
    if not models:
        return []
    timings = found.timings["evaluate"]
    batches = sorted(found.params.evaluate.timings.batches)
    rows = [[f"batch size {batch}", *(_timed(one.get(f"batch_{batch}")) for one in models.values())] for batch in batches]
    for key, text in (("peak_memory_bytes", "peak memory of the process"), ("peak_gpu_memory_bytes", "peak memory of the GPU")):
        if any(key in one for one in models.values()):
            rows.append([text, *(size(one[key]) if key in one else "" for one in models.values())])
    caption = f"Time for sequences of {timings['tokens']} tokens with {timings['threads']} threads; each model runs in a separate process"
    return [Table(caption, ["figure", *(words(name) for name in models)], rows, "bert base: a model of that shape with random weights.")]


def _timed(one: dict[str, Any] | None) -> str:
    return f"{significant(one['milliseconds'])} ms, {significant(one['sequences_a_second'])} per second" if one else ""


def _training(found: Findings) -> list[Block]:
    rows = []
    for stage, phases in found.timings.items():
        for phase, one in phases.items():
            if isinstance(one, dict) and "seconds" in one:
                step = one.get("resumed_from_step", 0)
                since = f" since it resumed from step {step}" if step else ""
                rows.append([f"{stage}, {words(phase)}", f"{duration(one['seconds'])}{since}", significant(one["tokens_a_second"])])
    blocks: list[Block] = [Table("Time of training", ["phase", "time", "tokens per second"], rows)] if rows else []
    used = []
    for stage, one in energy(found).items():
        place = one["country"] or WORLD
        text = [f"{significant(one['joules'] / 1000)} kJ", f"{significant(one['co2_grams'])} g"]
        used.append([stage, *text, f"{significant(one['grams_a_kwh'])} g/kWh, {place}", one["method"]])
    head = ["stage", "energy", "CO2", "electricity", "method"]
    return [*blocks, *([Table("Energy of training", head, used)] if used else [])]


def energy(found: Findings) -> dict[str, dict[str, Any]]:
    """Return the energy of training by stage, for stages that measured it."""
    return {stage: one["energy"] for stage, one in found.timings.items() if one.get("energy")}
