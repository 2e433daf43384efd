"""Cost: what a model needs on any machine, and what it took on the one that measured it."""

from __future__ import annotations

from typing import Any

from compactlm.evaluation.paired import ROLES
from compactlm.report.blocks import Block, Cell, Section, Table
from compactlm.report.findings import Findings
from compactlm.figures.numbers import TOO_FEW, count, duration, percent, significant, size, words


def cost(found: Findings) -> Section:
    """Return the section of costs that are the same everywhere."""
    counted = found.metrics["evaluate"]["size"]
    rows = []
    for key, text, show in (
        ("parameters", "parameters", count),
        ("bytes", "on the disk, in torch's format", size),
        ("multiply_adds_a_token", f"multiply-adds a token, of {found.params.evaluate.timings.tokens} tokens", count),
    ):
        values = [counted[f"{role}_{key}"] for role in ROLES]
        rows.append([text, *map(show, values), percent(values[1] / values[0])])
    tables = [Table("Size and work", ["cost", *ROLES, "student, of the teacher's"], rows)]
    exported = [[words(name), *_exported(one)] for name, one in found.metrics["export"].items() if "fp32" in one]
    tables.append(Table("Exported models, checked against the original", ["model", "fp32", "int8", "what int8 loses"], exported))
    lead = (
        "The student is counted in its larger form of those for masked words and tasks, and the teacher in its smallest, so that the ratio "
        "flatters nobody. The projection of the sentence embedding is counted in bytes alone."
    )
    return Section("cost", "Cost", lead, tables)


def _exported(one: dict[str, Any]) -> list[str | Cell]:
    fp32, int8 = one["fp32"], one["int8"]
    told = "; ".join(f"{words(key)} {value:.4g}" for key, value in int8.items() if key != "bytes" and isinstance(value, int | float))
    return [size(fp32["bytes"]), size(int8["bytes"]), told if one["judged"] else Cell(f"{told}; {TOO_FEW}", "weak")]


def machine(found: Findings) -> Section | None:
    """Return the section of all that depends on the machine; None where nothing was timed."""
    blocks: list[Block] = [*_speed(found), *_training(found)]
    lead = "Seconds, memory and energy of the machine that ran this. Another machine gives other numbers; no comparison of runs uses them."
    return Section("machine", "On the machine that ran this", lead, blocks, machine=True) if blocks else None


def _speed(found: Findings) -> list[Block]:
    models = {name: found.speed[name] for name in sorted(found.speed, key=lambda name: (name not in ROLES, name != "teacher", name))}
    if not models:
        return []
    timings = found.timings["evaluate"]
    batches = sorted({name for one in models.values() for name in one if name.startswith("batch_")}, key=lambda name: int(name[6:]))
    rows = []
    for name in batches:
        texts = [_timed(one.get(name)) for one in models.values()]
        rows.append([f"batch of {name[6:]}", *texts])
    for key, text in (("peak_memory_bytes", "peak memory of the process"), ("peak_gpu_memory_bytes", "peak memory of the GPU")):
        if any(key in one for one in models.values()):
            rows.append([text, *(size(one[key]) if key in one else "" for one in models.values())])
    caption = f"Time for sequences of {timings['tokens']} tokens, {timings['threads']} threads, each model in a process of its own"
    return [Table(caption, ["figure", *(words(name) for name in models)], rows, "bert base is its shape, with random weights.")]


def _timed(one: dict[str, Any] | None) -> str:
    return f"{significant(one['milliseconds'])} ms, {significant(one['sequences_a_second'])} a second" if one else ""


def _training(found: Findings) -> list[Block]:
    rows = []
    for stage, phases in found.timings.items():
        for phase, one in phases.items():
            if isinstance(one, dict) and "seconds" in one:
                step = one.get("resumed_from_step", 0)
                since = f" since it was resumed from step {step}" if step else ""
                rows.append([f"{stage}, {words(phase)}", f"{duration(one['seconds'])}{since}", significant(one["tokens_a_second"])])
    blocks: list[Block] = [Table("Time of training", ["phase", "time", "tokens a second"], rows)] if rows else []
    used = []
    for stage, one in energy(found).items():
        place = one["country"] or "the world's average"
        text = [f"{significant(one['joules'] / 1000)} kJ", f"{significant(one['co2_grams'])} g"]
        used.append([stage, *text, f"{significant(one['grams_a_kwh'])} g/kWh, {place}", one["method"]])
    head = ["stage", "energy", "CO2", "electricity", "how it was found"]
    return [*blocks, *([Table("Energy of training", head, used)] if used else [])]


def energy(found: Findings) -> dict[str, dict[str, Any]]:
    """Return what training took, by stage, where it was measured."""
    return {stage: one["energy"] for stage, one in found.timings.items() if one.get("energy")}
