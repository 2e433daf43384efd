"""The page reports/index.html: one file without scripts and without external resources."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping

import jinja2
import yaml

from compactlm.evaluation.classifier import Reader
from compactlm.report import verdict
from compactlm.report.blocks import Folded, Section
from compactlm.report.findings import Findings
from compactlm.report.sections.cost import cost, machine
from compactlm.report.sections.errors import errors
from compactlm.report.sections.fairness import fairness
from compactlm.report.sections.language import forgetting, masked_words
from compactlm.report.sections.loop import new_text, picks
from compactlm.report.sections.mitigation import mitigation
from compactlm.report.sections.promotion import promotion
from compactlm.report.sections.quality import quality
from compactlm.report.sections.text import text
from compactlm.report.sections.training import ablations, learning, sizes
from compactlm.report.sections.understanding import embedding_benchmark, understanding
from compactlm.report.sections.weakness import robustness, slices

PROJECT = "compactlm"


def environment() -> jinja2.Environment:
    """Return the templates of this package. HTML templates escape all text."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("compactlm.report", "templates"),
        autoescape=jinja2.select_autoescape(("html.j2",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def sections(found: Findings, readers: Mapping[str, Reader]) -> list[Section]:
    """Return all sections in their order."""
    listed = [
        understanding(found),
        quality(found),
        fairness(found),
        mitigation(found),
        slices(found),
        robustness(found, readers),
        errors(found, readers),
        masked_words(found),
        forgetting(found),
        text(found),
        learning(found),
        sizes(found),
        ablations(found),
        embedding_benchmark(found),
        new_text(found),
        picks(found),
        promotion(found),
        cost(found),
        machine(found),
        _parameters(found),
    ]
    return [section for section in listed if section]


def write_page(found: Findings, readers: Mapping[str, Reader]) -> str:
    """Return the page; `readers` are the student's classifiers by task."""
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            preset=found.params.preset,
            seed=found.params.seed,
            version=importlib.metadata.version(PROJECT),
            verdict=verdict.sentences(found),
            keys=verdict.keys(found),
            sections=sections(found, readers),
        )
    )


def parameters(found: Findings) -> str:
    """Return all parameters as YAML."""
    return yaml.safe_dump(found.params.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _parameters(found: Findings) -> Section:
    folded = [Folded(f"params.yaml, preset {found.params.preset}", parameters(found))]
    return Section("parameters", "Parameters", "All parameters of this run.", folded)
