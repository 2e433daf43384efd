"""A made-up run: random answers of two models with different skill, and the figures that the evaluation functions compute from them."""

import dataclasses
import json

import numpy as np

from benchmarks.shapes.mitigations import summarise
from compactlm.artifacts import SPLITS, Document
from compactlm.evaluation.paired import Answers, compare_quality
from compactlm.evaluation.slices import make_slices, slice_accuracy, worst_slice
from compactlm.fairness.audit.models import audit_models, fairness_metrics
from compactlm.fairness.audit.training_data import audit_task
from compactlm.fairness.stereotypes import Item, measure_stereotypes
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Figure, read_figures, write_figures
from compactlm.figures.quality import headline_figures
from compactlm.report.findings import Findings
from compactlm.text.diversity import measure_diversity, settings_of

LABELS = ["negative", "positive"]
FRONTIER_EPOCHS = 1
NAMES = {"she": "women", "he": "men"}


def rows(count, split):
    """Labelled rows about women and men, a few of them long, and text of another source."""
    found = []
    for at in range(count):
        word = "she" if at % 3 == 0 else "he"
        label = LABELS[(at % 5 < 2) if word == "she" else (at % 2)]
        text = f"{word} was {'good' if label == 'positive' else 'not <b>bad</b>'} in film {at}" + " and so on" * (at % 4)
        found.append(Document(f"{split}{at:031d}", "movie_reviews", text, str(at), "sentiment", label))
    return found


def draw(expected, skill, seed):
    generator = np.random.default_rng(seed)
    exponentials = np.exp(generator.normal(size=(len(expected), 2)) + skill * np.eye(2)[expected])
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def figure(value, wide=0.02, rows=300):
    return Figure.measured(value, value - wide, value + wide, rows=rows, rows_needed=30)


def robustness():
    cases = {kind: {strength: (0.97, 0.9, 0.8)[at % 3] for at, strength in enumerate(("light", "heavy"))} for kind in ("keyboard", "case")}
    return {
        "rows": 300,
        "perturbations": {
            kind: {
                strength: {"changed": 1.0, "teacher": {"kept": figure(kept)}, "student": {"kept": figure(kept - 0.03)}}
                for strength, kept in strengths.items()
            }
            for kind, strengths in cases.items()
        },
        "all": {"teacher": {"kept": figure(0.95)}, "student": {"kept": figure(0.92)}},
        "worst": {"teacher": {"kept": figure(0.9)}, "student": {"kept": figure(0.87)}},
    }


def language_model():
    def part(words):
        roles = {
            role: {
                "top1": figure(0.15 - 0.02 * at, rows=words),
                "top5": figure(0.3, rows=words),
                "pseudo_perplexity": figure(30.0 + 10 * at, 4.0, words),
            }
            for at, role in enumerate(("teacher", "student"))
        }
        return {"masked_words": words, "words": words, **roles}

    return {
        "rows": 1500,
        "teacher_top1": 0.15,
        "student_top1": 0.13,
        "retention": 0.13 / 0.15,
        "quality": {**part(1500), "retention": figure(0.867)},
        "sources": {"movie_reviews": part(900), "tweets": part(580), "xsum": part(20)},
        "spread": {"teacher": 0.5, "student": 0.4},
    }


def task_metrics(answers, params, test):
    seen = {word: 9 for row in test for word in row.text.lower().replace("<b>", " ").replace("</b>", " ").split()}
    slices = slice_accuracy(answers, make_slices(answers.texts, answers.sources, params.evaluate.slices, {**seen, "b": 9}))
    forgotten = {"before": figure(0.15), "after": figure(0.1), "kept": figure(0.66), "surprise": figure(0.7)}
    return {
        **headline_figures(answers.expected.tolist(), *(answers.predicted(role).tolist() for role in ("teacher", "student"))),
        "quality": compare_quality(answers, params.evaluate.calibration_bins, Resampler(100, 1)),
        "slices": slices,
        "worst_slice": worst_slice(slices),
        "robustness": robustness(),
        "forgetting": {"teacher": forgotten, "student": forgotten},
        "spread": {"teacher": 0.5, "student": 0.4},
    }


def fairness(answers, params, test):
    def predict(role):
        return lambda texts: draw(np.array([0] * len(texts)), 1.0, len(role))

    settings = params.bias_audit
    roles = ("teacher", "student")
    tasks = {
        "sentiment": audit_models(
            test,
            "sentiment",
            LABELS,
            {role: answers.probabilities[role] for role in roles},
            {role: predict(role) for role in roles},
            settings,
            1,
        )
    }
    items = [Item(f"text {at} [MASK]", f"job{at}", "she", "he", "women" if at % 2 else "men") for at in range(40)]
    scores = {role: (lambda texts, words, at=at: draw(np.array([0] * len(texts)), 1.0, at)) for at, role in enumerate(roles)}
    found = {"gender": measure_stereotypes(items, scores, settings, 1)}
    return fairness_metrics(tasks, found)


CLEANED = {"dropped": {"duplicate": 9, "too_short": 1}, "masked": {"email": 2, "phone": 0}}


def varied(params, at, bleu=0.125):
    measured = measure_diversity(rows(40 + at, "v"), settings_of(params.diversity, 1))
    return {**measured, "near_duplicate_rate": 0.01, "self_bleu": Figure.over_rows(bleu, 40)}


def all_rows():
    """The test rows of the made-up run: labelled ones and text of another source."""
    other = [Document(f"u{at:031d}", "tweets", f"a tweet about the weather of day {at}, which was | fine", f"t{at}") for at in range(40)]
    return [*rows(240, "t"), *other]


def build(params, test_rows):
    """All that a run leaves in reports/, for these test rows."""
    test = [row for row in test_rows if row.task]
    expected = np.array([LABELS.index(row.label) for row in test], dtype=np.int64)
    probabilities = {"teacher": draw(expected, 3.0, 1), "student": draw(expected, 1.5, 2)}
    answers = Answers(
        tuple(row.id for row in test), tuple(row.text for row in test), tuple(row.source for row in test), expected, probabilities
    )
    train = rows(300, "a")
    audit = audit_task(train, train[:50], "sentiment", LABELS, params.bias_audit, 1)
    sources = {name: {"rows": 100, "characters": 5000, "kept": 90} for name in params.ingest.sources}
    size = {"parameters": (22_713_986, 2_271_297), "bytes": (91_000_000, 9_900_000), "multiply_adds_a_token": (10_000_000, 700_000)}
    counted = {f"{role}_{name}": pair[at] for name, pair in size.items() for at, role in enumerate(("teacher", "student"))}
    speed = {
        name: {f"batch_{size}": {"milliseconds": 40.0 / at, "sequences_a_second": 25.0 * at, "runs": 9} for size in (1, 32)}
        | {"peak_memory_bytes": 4e8}
        for at, name in enumerate(("bert_base", "teacher", "student"), start=1)
    }
    energy = {"joules": 5000.0, "co2_grams": 0.66, "grams_a_kwh": 475.0, "country": None, "method": "estimated"}
    curve = [(float(20 * at), 1.0 / at) for at in range(1, 40)]
    shape = {"masked_words_retention": 0.8, "parameters": 1_282_400, "share": 0.056, "retention": 0.96}
    int8 = {"bytes": 2_500_000, "agreement": Figure.over_rows(0.998, 500), "lost": 1}
    teacher = float((answers.predicted("teacher") == expected).mean())
    found = Findings(
        params=params,
        metrics={
            "ingest": {"sources": sources, "total": {}},
            "clean": {
                "sources": {name: {**one, **CLEANED} for name, one in sources.items()},
                "total": {"rows": 700, "kept": 630, **CLEANED},
            },
            "diversity": {split: {"all": varied(params, at), "movie_reviews": varied(params, at)} for at, split in enumerate(SPLITS)},
            "augment": {
                "rows": 300,
                "asked": 300,
                "copies": 290,
                "dropped": {"empty": 0, "same_as_original": 3, "same_as_other_copy": 0, "label_changed": 7},
                "diversity": {"before": varied(params, 0), "after": {**varied(params, 0, bleu=0.25), "rows": 590}},
            },
            "split": {
                "rows": {"train": 300, "test": len(test_rows)},
                "labels": {"train": {"sentiment": {"negative": Figure.over_rows(0.6, 300), "positive": Figure.over_rows(0.4, 300)}}},
                "sources": {"train": {"movie_reviews": 0.293333, "tweets": 0.706667}, "test": {"movie_reviews": 0.857143}},
            },
            "bias-audit": {"sentiment": audit.metrics()},
            "tokenize": {
                "test": {"cut_rows": 3, "unknown_rate": Figure.over_rows(0.0001, 500)},
                "vocabulary": {"coverage": Figure.over_rows(0.95, 500), "tokens": 10817},
            },
            "distill-train": {
                "general": {"loss": 0.35, "validation_top1": Figure.over_rows(0.12, 500)},
                "sentiment": {"loss": 0.48, "validation_accuracy": Figure.over_rows(0.85, 500)},
            },
            "evaluate": {
                "tasks": {"sentiment": task_metrics(answers, params, test)},
                "mlm": language_model(),
                "size": {**counted, "ratio": 0.09999},
                "fairness": fairness(answers, params, test),
            },
            "export": {
                name: {"rows": 500, "fp32": {"bytes": 9_000_000, "greatest_difference": 1e-6}, "int8": int8}
                for name in ("mlm", "sentiment")
            },
        },
        timings={
            "evaluate": {"threads": 2, "tokens": 128, "models": speed},
            "teacher": {"sentiment": {"tokens": 1000, "tokens_a_second": 1339.5, "seconds": 297.6}, "energy": energy},
            "distill-train": {"general": {"tokens": 1000, "tokens_a_second": 8682.6, "seconds": 64.3}, "energy": energy},
        },
        answers={"sentiment": answers},
        curves={"general": {"loss": curve, "soft": curve}, "sentiment": {"loss": curve, "soft": curve, "hard": curve, "hidden": curve}},
        frontier={
            "overrides": ["student.vocabulary_size=8000", f"distill.task.optimisation.epochs={FRONTIER_EPOCHS}"],
            "shapes": [{**shape, "name": "4x96", "teacher": teacher}],
        },
        ablations={"17": {"task": {"as it is": {"validation_accuracy": 0.83}, "without soft targets": {"validation_accuracy": 0.81}}}},
        mitigation={},
    )
    rows_of = [one.to_json() for one in summarise(write_figures(found.metrics["evaluate"]))]
    students = dict.fromkeys(("none", "reweighing", "counterfactual", "both"), rows_of)
    mitigation = {"overrides": [f"distill.task.optimisation.epochs={FRONTIER_EPOCHS}"], "mitigations": students}
    return dataclasses.replace(found, metrics=as_read(found.metrics), timings=as_read(found.timings), mitigation=as_read(mitigation))


def as_read(content):
    """The content as it is read from a JSON file, whose keys are sorted."""
    return read_figures(json.loads(json.dumps(write_figures(content), sort_keys=True)))
