"""The masked language model: masked words, pseudo-perplexity by source, and what fine-tuning left of it."""

from __future__ import annotations

from typing import Any

from compactlm.evaluation.paired import ROLES
from compactlm.report.blocks import Cell, Section, Table
from compactlm.report.findings import Findings
from compactlm.report.numbers import TOO_FEW, count, perplexities, plain, shares, words


def masked_words(found: Findings) -> Section:
    """Return the section of masked words."""
    mlm = found.metrics["evaluate"]["mlm"]
    sources = {"all sources": mlm["quality"], **mlm["sources"]}
    tables = []
    for kind, caption, show in (
        ("top1", "Masked words that are the first choice", shares),
        ("top5", "Masked words that are among the first five choices", shares),
        ("pseudo_perplexity", "Pseudo-perplexity: lower is better", perplexities),
    ):
        rows = []
        for source, part in sources.items():
            counted = part["words" if kind == "pseudo_perplexity" else "masked_words"]
            rows.append([words(source), count(counted), *(_cell(part, show(part[role][kind])) for role in ROLES)])
        tables.append(Table(caption, ["source", "words", *ROLES], rows))
    lead = (
        f"Both models fill the same masked words of test rows; only words that are one token to both take part. The student keeps "
        f"{shares(mlm['quality']['retention'])} of the teacher's first choices that are right."
    )
    return Section("masked-words", "Masked words", lead, tables)


def _cell(part: dict[str, Any], text: str) -> Cell | str:
    return text if part["judged"] else Cell(f"{text}, {TOO_FEW}", "weak")


def forgetting(found: Findings) -> Section:
    """Return the section of forgetting."""
    rows = []
    for name, task in found.tasks.items():
        for role in ROLES:
            one = task["forgetting"][role]
            kept = shares(one["kept"]) if one["judged"] else Cell(f"{shares(one['kept'])}, {TOO_FEW}", "weak")
            cells = [shares({"value": one[when]}) for when in ("before", "after")]
            rows.append([f"{role}, {words(name)}", *cells, kept, plain(one["surprise"], 2)])
    lead = "The body of each task's model under the head of the masked language model: how much it still knows of words in general."
    caption = "Masked words that are the first choice before and after fine-tuning"
    table = Table(caption, ["model", "before", "after", "kept", "added surprise, nats a word"], rows)
    return Section("forgetting", "Forgetting", lead, [table])
