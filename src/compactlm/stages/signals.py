"""Compute the teacher's signals for all training rows once, for every student with this vocabulary."""

from __future__ import annotations

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.runtime import prepare
from compactlm.distillation.inputs import GENERAL, Inputs
from compactlm.distillation.signals.cache import gigabytes, surplus, write_cache
from compactlm.distillation.signals.online import SignalSource
from compactlm.errors import CompactLMError
from compactlm.params import Params
from compactlm.pipeline.run import run
from compactlm.shapes.layers import check_both_phases


def _check_size(inputs: Inputs, width: int) -> float:
    """Return the expected gigabytes of the cache; raise CompactLMError if it may exceed signals.gigabytes."""
    params, signals = inputs.params, inputs.params.signals
    general = inputs.general()
    tokens, layers, top_k = sum(general.lengths), len(inputs.layers), min(signals.general.top_k, len(inputs.id_map))
    masked = round(tokens * signals.general.mask_rate)
    size = gigabytes(tokens, masked, len(general.ids), layers, width, top_k, 0)
    beyond = surplus(general.ids, masked, top_k)
    for name, task in params.tasks.items():
        tokenized = inputs.task(name)
        size += gigabytes(sum(tokenized.lengths), 0, len(tokenized.ids), layers, width, 0, len(task.labels))
        beyond += surplus(tokenized.ids, 0, 0)
    if size + beyond > signals.gigabytes:
        raise CompactLMError(
            f"the teacher's signals may take {size + beyond:.2g} GB, but signals.gigabytes allows {signals.gigabytes:g}; raise it, "
            "name fewer signals.layers, lower signals.general.sequences or maskings, or set signals.source to online"
        )
    return size


def main(params: Params) -> None:
    """Run the stage."""
    prepare(params.threads, params.seed)
    metrics: dict[str, float] = {"cached": int(params.signals.source == "cached")}
    with artifacts.replacing(artifacts.SIGNALS) as unfinished:
        unfinished.mkdir()
        artifacts.write_json(unfinished / "source.json", params.signals.source)
        if params.signals.source == "cached":
            inputs = Inputs(params)
            teacher, _ = models.load_masked_lm(artifacts.TEACHER / artifacts.BASE)
            check_both_phases(params, teacher.config)
            metrics["gigabytes"] = round(_check_size(inputs, teacher.config.hidden_size), 3)
            general = inputs.general()
            source: SignalSource = inputs.online_general(teacher)
            settings = inputs.cache_settings(artifacts.BASE)
            write_cache(unfinished / GENERAL, general, source, params.batch_tokens, "general, signals", settings)
            metrics[GENERAL] = len(general.ids)
            for name in params.tasks:
                tokenized = inputs.task(name)
                source = inputs.online_task(models.load_classifier(artifacts.TEACHER / name))
                write_cache(unfinished / name, tokenized, source, params.batch_tokens, f"{name}, signals", inputs.cache_settings(name))
                metrics[name] = len(tokenized.ids)
    artifacts.write_json(artifacts.METRICS / "signals.json", metrics)


if __name__ == "__main__":
    run("signals", main)
