"""Compare teacher and student on the same test rows. No other stage compares models on them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from transformers import BertConfig

from compactlm import artifacts
from compactlm.bert.mask_scores import score
from compactlm.bert.runtime import prepare
from compactlm.bert.words_to_mask import mask_words
from compactlm.evaluation import pathologies
from compactlm.evaluation.classifier import Reader
from compactlm.evaluation.contestants import Body, Role, answer, load_general, load_reader, sizes, spreads, word_spreads
from compactlm.evaluation.cost.speed import compare_speed
from compactlm.evaluation.embeddings.comparing import compare_embeddings
from compactlm.evaluation.embeddings.contestants import load_embeddings
from compactlm.evaluation.embeddings.material import make_material
from compactlm.evaluation.embeddings.tfidf import fit_tfidf
from compactlm.evaluation.model_fairness import measure_fairness
from compactlm.evaluation.paired import ROLES, Answers, compare_quality, headline
from compactlm.evaluation.predictions import prediction_schema, predictions
from compactlm.evaluation.robustness import robustness
from compactlm.evaluation.slices import count_words, make_slices, slice_figures, words_of, worst_slice
from compactlm.evaluation.words.forgetting import forgetting, not_measured, with_body_of
from compactlm.evaluation.words.language_model import LanguageModel, WordAnswers, ask, compare_baselines, compare_language_models
from compactlm.fairness.gate import Gate
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import write_figures
from compactlm.params import Params
from compactlm.params.suites import read_suite
from compactlm.pipeline.run import run

REFERENCE = "bert_base"  # bert-base in shape, with random weights


def _train_texts() -> list[str]:
    texts: list[str] = artifacts.read_table(artifacts.SPLIT / "train")["text"].to_pylist()
    return texts


def _seen(texts: Iterable[str]) -> dict[str, int]:
    """Return how often each word of these texts occurs in the train split."""
    return count_words(_train_texts(), {word for text in texts for word in words_of(text)})


def _resampler(params: Params) -> Resampler:
    return Resampler.of(params.bootstrap, params.seed)


def _task(params: Params, answers: Answers, readers: dict[str, Reader], seen: dict[str, int]) -> dict[str, object]:
    """Return the figures of a task. Each key is a section of the report."""
    evaluate, resampler = params.evaluate, _resampler(params)
    slices = slice_figures(answers, make_slices(answers.texts, answers.sources, evaluate.slices, seen), resampler)
    first = headline(answers)
    return {
        **first,
        "quality": compare_quality(answers, evaluate.calibration_bins, resampler),
        "slices": slices,
        "worst_slice": worst_slice(slices, first["student"]),
        "robustness": robustness(answers, readers, evaluate.robustness, resampler),
    }


def _forgetting(
    params: Params, readers: dict[str, Reader], language_models: dict[str, LanguageModel], words: WordAnswers
) -> dict[str, object]:
    chosen = words.chosen[: params.evaluate.forgetting_words]
    found: dict[str, object] = {role: not_measured() for role in ROLES if role not in language_models}
    for role, one in language_models.items():
        joined = with_body_of(readers[role].model, one.model)
        masked = mask_words(chosen, one.tokenizer, one.maximum_length)
        after = score(joined, masked, one.tokenizer.pad_token_id, params.batch_tokens, f"{role}, masked words after fine-tuning")
        found[role] = forgetting(words.scores[role].first(len(chosen)), after, _resampler(params))
    return found


def _embedding(params: Params, test: list[artifacts.Document]) -> dict[str, Any]:
    """Return the figures of the sentence embeddings under the key `embedding`; nothing if the student has none."""
    student = artifacts.STUDENT / artifacts.EMBEDDING
    if not student.is_dir():
        return {}
    train = artifacts.read_documents(artifacts.SPLIT / "train")
    settings = params.evaluate.embedding
    suites = {kind: read_suite(kind) for kind in settings.context}
    material = make_material(settings, train, test, params.tasks, suites, params.seed)
    contestants = load_embeddings(student, artifacts.TEACHER / artifacts.BASE, artifacts.STATIC_TABLE, params.batch_tokens)
    words = {"tfidf": fit_tfidf(row.text for row in train)} if suites else {}
    return {"embedding": compare_embeddings(contestants, words, material, _resampler(params))}


def _timings(params: Params, readers: dict[str, Reader]) -> dict[str, Any]:
    timings, threads = params.evaluate.timings, params.threads
    configs = {role: readers[role].model.config for role in reversed(ROLES)} | {REFERENCE: BertConfig()}
    tokens = min(
        timings.tokens, *(config.max_position_embeddings for config in configs.values())
    )  # all models get sequences of the same length
    measured = compare_speed(configs, threads, tokens, timings.batches, timings.seconds)
    return {"threads": threads, "tokens": tokens, "models": measured}


def main(params: Params) -> None:
    """Run the stage."""
    prepare(params.threads, params.seed)
    lengths = {"teacher": params.teacher.maximum_length, "student": params.tokenize.maximum_length}
    roles = [Role("teacher", artifacts.TEACHER, lengths["teacher"], artifacts.BASE), Role("student", artifacts.STUDENT, lengths["student"])]
    test = artifacts.read_documents(artifacts.SPLIT / "test")
    general = {role.name: load_general(role) for role in roles}
    language_models = {role: one for role, one in general.items() if isinstance(one, LanguageModel)}
    readers = {
        name: {role.name: load_reader(role, name, task, params.batch_tokens) for role in roles} for name, task in params.tasks.items()
    }
    rows = {task: [row for row in test if row.task == task] for task in params.tasks}
    answers = {name: answer(readers[name], rows[name], task, name) for name, task in params.tasks.items()}
    spread = {name: spreads(readers[name], rows[name], name, params.batch_tokens, params.seed) for name in params.tasks}
    general_spread = spreads(general, test, artifacts.MLM, params.batch_tokens, params.seed)

    words = ask(language_models, test, params.evaluate, params.batch_tokens, params.seed)
    word_spread = word_spreads(language_models, words.chosen, params.batch_tokens)
    mlm = compare_language_models(words, test, _resampler(params))
    mlm |= compare_baselines(words, _train_texts(), general["student"].tokenizer, _resampler(params))
    mlm |= {"spread": general_spread, "word_spread": word_spread}
    seen = _seen(row.text for row in test if row.task is not None)
    tasks = {name: _task(params, answers[name], readers[name], seen) | {"spread": spread[name]} for name in params.tasks}
    for name in params.tasks:
        tasks[name]["forgetting"] = _forgetting(params, readers[name], language_models, words)
    loaded: dict[str, list[LanguageModel | Body | Reader]] = {
        role: [general[role], *(readers[name][role] for name in params.tasks)] for role in ROLES
    }
    size = sizes(loaded, roles, [artifacts.MLM, *params.tasks], params.evaluate.timings.tokens)
    fairness = measure_fairness(params, answers, readers, language_models)
    metrics: dict[str, Any] = {"mlm": mlm, "tasks": tasks, "size": size, "fairness": fairness}
    metrics |= _embedding(params, test)

    with artifacts.replacing(artifacts.PREDICTIONS) as unfinished:
        artifacts.write_table(unfinished, predictions(answers), prediction_schema(answers))
    artifacts.write_json(artifacts.METRICS / "evaluate.json", write_figures(metrics))
    pathologies.refuse(list(pathologies.find_missing_figures(metrics)))
    artifacts.write_json(artifacts.TIMINGS / "evaluate.json", _timings(params, next(iter(readers.values()))))
    sys.stdout.writelines(f"{line}\n" for line in Gate.of("model", fairness).lines())


if __name__ == "__main__":
    run("evaluate", main)
