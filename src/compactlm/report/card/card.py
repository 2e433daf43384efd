"""The student's model card, in the model hub's format."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from typing import Any

from compactlm.artifacts import SPLITS, Document
from compactlm.evaluation.paired import ROLES
from compactlm.figures.metric_names import metric_name, shown
from compactlm.figures.numbers import count, percent, perplexity, plain, significant, stated, words
from compactlm.report import embedding_figures, verdict
from compactlm.report.card.bias_statements import bias_statements
from compactlm.report.card.front_matter import base_model, emissions, front_matter, model_name
from compactlm.report.card.limitations import limitations
from compactlm.report.card.snippets import Snippet, short_rows
from compactlm.report.findings import Findings
from compactlm.report.page import PROJECT, environment, parameters
from compactlm.report.sections.cost import WORLD, energy
from compactlm.report.sections.training import end_rows
from compactlm.tasks import kind_of
from compactlm.text.languages import main_languages
from compactlm.text.markdown import code, table

LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "scikit-learn", "aif360", "onnxruntime", "codecarbon", "dvc")
STEPS = 10  # rows of a table of losses
SAMPLE = 160  # characters of a sample


def write_card(found: Findings, test: Sequence[Document], snippets: Sequence[Snippet]) -> str:
    """Return the card as Markdown with YAML front matter; samples are drawn from the test rows."""
    spoken = main_languages(row.text for row in sorted(test, key=lambda row: (row.source, row.id)))
    params = found.params
    first = next(iter(params.tasks.values()))
    return (
        environment()
        .get_template("card.md.j2")
        .render(
            front_matter=front_matter(found, spoken).to_yaml(),
            name=model_name(params),
            verdict=verdict.sentences(found),
            base=base_model(params.teacher.source),
            params=params,
            form=kind_of(first).architecture.removeprefix("Bert"),
            languages=spoken,
            size=found.metrics["evaluate"]["size"],
            snippets=snippets,
            understanding=_understanding(found),
            quality=_quality(found),
            data=_data(found, test),
            labels=_labels(found),
            learning=[_curve(found, phase) for phase in found.curves],
            ends=table(["phase", "figure", "value"], end_rows(found)),
            limits=limitations(found),
            bias=bias_statements(found),
            energy=_energy(found),
            emissions=emissions(found),
            versions=table(["library", "version"], [[name, importlib.metadata.version(name)] for name in LIBRARIES]),
            parameters=parameters(found),
            version=importlib.metadata.version(PROJECT),
            plain=plain,
            percent=percent,
            words=words,
        )
    )


def _understanding(found: Findings) -> list[str]:
    """Return the tables of the sentence embedding; nothing if the student has none."""
    measured = embedding_figures.embeddings(found)
    if not measured:
        return []
    contestants = embedding_figures.CONTESTANTS
    names = [name for name in contestants if name in measured]
    rows = [
        [embedding_figures.figure_title(key), *(stated(one, embedding_figures.shown(key)) if one else "" for one in figures)]
        for key, figures in embedding_figures.figure_rows(measured, names)
    ]
    tables = [table(["figure", *(contestants[name] for name in names)], rows)]
    if measured["context"]:
        rows = [
            [words(kind), *(stated(one, percent) if one else "" for one in figures)]
            for kind, figures in embedding_figures.context_rows(measured, contestants)
        ]
        tables.append(table(["context decides", *contestants.values()], rows))
    return tables


def _quality(found: Findings) -> str:
    rows = []
    show: Callable[[float], str]
    for name, task in found.tasks.items():
        for metric in kind_of(found.params.tasks[name]).metrics:
            parts = [stated(task["quality"][role][metric], shown(metric)) for role in ROLES]
            rows.append([words(name), metric_name(metric), *parts, count(task["rows"])])
    mlm = found.metrics["evaluate"]["mlm"]
    kinds = {"top1": ("top 1", percent), "top5": ("top 5", percent), "pseudo_perplexity": ("pseudo-perplexity", perplexity)}
    for kind, (name, show) in kinds.items():
        figures = [mlm["quality"][role][kind] for role in ROLES]
        rows.append(["masked words", name, *(stated(figure, show) for figure in figures), count(figures[1].rows)])
    for baseline, caption in (("ngram", "n-grams with both neighbours"), ("frequency", "the most frequent word")):
        measured = mlm["baselines"][baseline]
        for kind, (name, show) in kinds.items():
            if kind in measured:
                rows.append([f"masked words, {caption}", name, "", stated(measured[kind], show), count(measured[kind].rows)])
    return table(["task", "figure", *ROLES, "test rows or words"], rows)


def _data(found: Findings, test: Sequence[Document]) -> list[dict[str, Any]]:
    """Return the description of each source."""
    sources: dict[str, Any] = found.metrics["ingest"]["sources"]
    cleaned: dict[str, Any] = found.metrics["clean"]["sources"]
    described = []
    for name, one in sources.items():
        settings = found.params.ingest.sources[name]
        used = [task for task, own in found.params.tasks.items() if name in own.sources]
        samples = short_rows([row for row in test if row.source == name], found.params.seed)
        described.append(
            {
                "name": name,
                "licence": settings.licence,
                "homepage": settings.homepage,
                "used": ", ".join(map(words, used)) or "unlabelled text",
                "rows": count(one["rows"]),
                "kept": count(cleaned[name]["kept"]) if name in cleaned else "0",
                "samples": [f"{code(row.text[:SAMPLE])}{_label_of(found, row)}" for row in samples],
            }
        )
    return described


def _label_of(found: Findings, row: Document) -> str:
    task = found.params.tasks.get(row.task or "")
    return f", {kind_of(task).expected(row, task)}" if task else ""


def _labels(found: Findings) -> str:
    split = found.metrics["split"]
    rows = []
    for part in (name for name in SPLITS if name in split["rows"]):
        number = split["rows"][part]
        labelled = [
            f"{words(task)}: {', '.join(f'{label} {percent(share.value)}' for label, share in labels.items())}"
            for task, labels in split["labels"].get(part, {}).items()
        ]
        # Shares of sources have six digits, which is exact for up to half a million rows.
        shares_of = split["sources"][part]
        own = {
            task: round(number * sum(shares_of.get(name, 0.0) for name in settings.sources))
            for task, settings in found.params.tasks.items()
        }
        counts = "; ".join(f"{words(task)}: {count(rows_of)}" for task, rows_of in own.items() if rows_of)
        rows.append([part, count(number), counts, "; ".join(labelled)])
    return table(["split", "rows", "rows of tasks", "labels"], rows)


def _curve(found: Findings, phase: str) -> dict[str, str]:
    losses = found.curves[phase]
    names = sorted(losses, key=lambda name: (name != "loss", name))
    steps = [step for step, _ in losses[names[0]]]
    shown = sorted({round(at * (len(steps) - 1) / max(STEPS - 1, 1)) for at in range(STEPS)})
    known = {name: dict(losses[name]) for name in names}
    rows = [[count(steps[at]), *(plain(known[name].get(steps[at]), 4) for name in names)] for at in shown]
    return {"phase": words(phase), "table": table(["step", *names], rows)}


def _energy(found: Findings) -> str:
    rows = []
    for stage, one in energy(found).items():
        used = [f"{significant(one['joules'] / 1000)} kJ", f"{significant(one['co2_grams'])} g"]
        rows.append([stage, *used, one["country"] or WORLD, one["method"]])
    return table(["stage", "energy", "CO2", "electricity of", "method"], rows) if rows else ""
