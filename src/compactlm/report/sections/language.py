"""The masked language model: masked words, pseudo-perplexity by source, and forgetting by fine-tuning."""

from __future__ import annotations

from compactlm.evaluation.paired import ROLES
from compactlm.figures.numbers import count, percent, perplexity, plain, stated, words
from compactlm.report.blocks import Cell, Section, Table
from compactlm.report.findings import Findings

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
    lead = (
        "Both models fill the same masked words of test rows. Only words that are a single token for both models are masked. The student "
        f"keeps {stated(mlm['quality']['retention'], percent)} of the teacher's correct first choices."
    )
    return Section("masked-words", "Masked words", lead, tables)


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
    caption = "Masked words whose first choice is right, before and after fine-tuning"
    table = Table(caption, ["model", "before", "after", "kept", "added surprise, nats per word"], rows)
    return Section("forgetting", "Forgetting", lead, [table])
