"""The masked language model: masked words, pseudo-perplexity by source, baselines, and forgetting by fine-tuning."""

from __future__ import annotations

from typing import Any

from compactlm.evaluation.paired import ROLES
from compactlm.figures.numbers import count, percent, perplexity, plain, stated, words
from compactlm.report.blocks import Cell, Section, Table
from compactlm.report.findings import Findings

NO_HEAD = "The teacher has no masked-language-model head, so its figures are not judged."
KINDS = (
    ("top1", "Masked words whose first choice is right", percent),
    ("top5", "Masked words with the right word among the first five choices", percent),
    ("pseudo_perplexity", "Pseudo-perplexity (lower is better)", perplexity),
)


def masked_words(found: Findings) -> Section:
    """Return the section of masked words."""
    mlm = found.metrics["evaluate"]["mlm"]
    sources = {"all sources": mlm["quality"], **mlm["sources"]}
    tables = []
    for kind, caption, show in KINDS:
        rows: list[list[str | Cell]] = []
        for source, part in sources.items():
            counted = part["words" if kind == "pseudo_perplexity" else "masked_words"]
            rows.append([words(source), count(counted), *(Cell.of(part[role][kind], show) for role in ROLES)])
        tables.append(Table(caption, ["source", "words", *ROLES], rows))
    tables.append(_baselines(mlm))
    if has_head(found):
        lead = (
            "Both models fill the same masked words of test rows. Only words that are a single token for both models are masked. "
            f"The student keeps {stated(mlm['quality']['retention'], percent)} of the teacher's correct first choices."
        )
    else:
        lead = f"The student fills masked words of test rows. Only words that are a single token for it are masked. {NO_HEAD}"
    return Section("masked-words", "Masked words", lead, tables)


def has_head(found: Findings) -> bool:
    """Return whether the teacher has a masked-language-model head."""
    return "teacher_top1" in found.metrics["evaluate"]["mlm"]


def _baselines(mlm: dict[str, Any]) -> Table:
    measured = {"student": mlm["quality"]["student"], "n-grams with both neighbours": mlm["baselines"]["ngram"]}
    measured["the most frequent word"] = mlm["baselines"]["frequency"]
    rows = [[name, stated(one["top1"], percent), stated(one["pseudo_perplexity"], perplexity)] for name, one in measured.items()]
    note = "Baselines are counted in the train split and predict the same words. The n-grams see the words before and after the mask."
    return Table("Masked words beside baselines", ["model", "first choice is right", "pseudo-perplexity"], rows, note)


def forgetting(found: Findings) -> Section:
    """Return the section of forgetting."""
    rows: list[list[str | Cell]] = []
    for name, task in found.tasks.items():
        for role in ROLES:
            one = task["forgetting"][role]
            shares = [Cell.of(one[kind], percent) for kind in ("before", "after", "kept")]
            rows.append([f"{role}, {words(name)}", *shares, Cell.of(one["surprise"], lambda value: plain(value, 2))])
    lead = (
        "How much general language knowledge each task's model keeps after fine-tuning. Its body is put under the head of the masked "
        "language model and fills the same masked words."
    )
    if not has_head(found):
        lead += f" {NO_HEAD}"
    caption = "Masked words whose first choice is right, before and after fine-tuning"
    table = Table(caption, ["model", "before", "after", "kept", "added surprise, nats per word"], rows)
    return Section("forgetting", "Forgetting", lead, [table])
