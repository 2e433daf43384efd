"""Compute the teacher's signals for all training rows once, for every student with this vocabulary."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.runtime import prepare
from compactlm.bert.task_models import load_task_model
from compactlm.distillation.embedding_inputs import EMBEDDING, STATIC, TOKENS, EmbeddingInputs, is_enabled
from compactlm.distillation.inputs import GENERAL, Inputs
from compactlm.distillation.signals.cache import gigabytes, surplus, write_cache
from compactlm.distillation.signals.online import SignalSource
from compactlm.distillation.signals.sentences import CachedSentences, write_sentences
from compactlm.errors import CompactLMError
from compactlm.export.onnx_body import OnnxBody
from compactlm.params import Params
from compactlm.params.distill import Runtime
from compactlm.pipeline.run import run
from compactlm.shapes.layers import check_both_phases, needs_signals
from compactlm.tasks import kind_of


def _body(runtime: Runtime, threads: int, layers: Sequence[int] = ()) -> Callable[[Any], Any] | None:
    """Return a function that replaces the teacher's body by another runtime; None for torch. `layers` are the layers of the signals."""
    return None if runtime == "torch" else functools.partial(OnnxBody, int8=runtime == "onnx_int8", threads=threads, layers=layers)


def _check_size(inputs: Inputs, embedding: EmbeddingInputs | None, width: int) -> float:
    """Return the expected gigabytes of the caches; raise CompactLMError if they may exceed signals.gigabytes."""
    params, signals, layers = inputs.params, inputs.params.signals, len(inputs.layers)
    size = beyond = 0.0
    if needs_signals(params.distill.general):
        general, soft = inputs.general(), params.distill.general.soft_weight > 0
        tokens, top_k = sum(general.lengths), min(signals.general.top_k, len(inputs.id_map))
        masked = round(tokens * signals.general.mask_rate) if soft else 0
        size = gigabytes(tokens, masked, len(general.ids), layers, width, top_k, 0)
        beyond = surplus(general.ids, masked, top_k)
    if embedding:
        size += len(embedding.material.texts.ids) * width * 2 / 1e9
        beyond += surplus(embedding.material.texts.ids, 0, 0)
        if signals.embedding.token_texts:
            size += gigabytes(sum(embedding.token_rows.lengths), 0, len(embedding.token_rows.ids), 1, embedding.width, 0, 0)
            beyond += surplus(embedding.token_rows.ids, 0, 0)
    for name, task in params.tasks.items():
        tokenized = inputs.task(name)
        outputs, per_token = kind_of(task).outputs(task), kind_of(task).per_token
        of_head = (0, outputs) if per_token else (outputs, 0)
        size += gigabytes(sum(tokenized.lengths), 0, len(tokenized.ids), layers, width, 0, *of_head)
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
        inputs, read = Inputs(params), _body(params.signals.embedding.runtime, params.threads)
        embedding = EmbeddingInputs(inputs, read) if is_enabled(params.distill.embedding.enabled) else None
        if embedding:
            embedding.make_table().save(unfinished / STATIC)
        signals = params.signals
        if signals.source == "cached":
            teacher, has_head = models.load_masked_lm(artifacts.TEACHER / artifacts.BASE)
            check_both_phases(params, teacher.config, has_head)
            metrics["gigabytes"] = round(_check_size(inputs, embedding, teacher.config.hidden_size), 3)
            source: SignalSource
            if needs_signals(params.distill.general):
                general, source, settings = inputs.general(), inputs.online_general(teacher), inputs.cache_settings(artifacts.BASE)
                write_cache(unfinished / GENERAL, general, source, params.batch_tokens, "general, signals", settings)
                metrics[GENERAL] = len(general.ids)
            if embedding:
                texts = embedding.material.texts
                online, kept = embedding.online(texts), embedding.settings()
                write_sentences(unfinished / EMBEDDING, texts, online, params.batch_tokens, "embedding, signals", kept)
                metrics[EMBEDDING] = len(texts.ids)
                if params.signals.embedding.token_texts:
                    rows, vectors = embedding.token_rows, CachedSentences(unfinished / EMBEDDING, texts, kept)
                    tokens, settings = embedding.online_tokens(vectors), embedding.token_settings()
                    write_cache(unfinished / TOKENS, rows, tokens, params.batch_tokens, "token vectors, signals", settings)
                    metrics[TOKENS] = len(rows.ids)
            for name in params.tasks:
                tokenized = inputs.task(name)
                model, replaced = load_task_model(artifacts.TEACHER / name), _body(signals.task.runtime, params.threads, inputs.layers)
                source = inputs.online_task(model, body=replaced(model.cpu().bert) if replaced else None)
                write_cache(unfinished / name, tokenized, source, params.batch_tokens, f"{name}, signals", inputs.cache_settings(name))
                metrics[name] = len(tokenized.ids)
    artifacts.write_json(artifacts.METRICS / "signals.json", metrics)


if __name__ == "__main__":
    run("signals", main)
