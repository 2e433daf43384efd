"""Audit the labelled train rows for bias, before and after augmentation, and weigh them against it."""

from __future__ import annotations

from compactlm import artifacts
from compactlm.fairness.data_audit import audit_task, write_report
from compactlm.params import Params
from compactlm.stages.run import run


def main(params: Params) -> None:
    """Run the stage."""
    settings = params.bias_audit
    train = artifacts.read_documents(artifacts.SPLIT / "train")
    augmented = artifacts.read_documents(artifacts.AUGMENTED)
    audits = {}
    for name in params.tasks:
        rows = [row for row in train if row.task == name]
        copies = [copy for copy in augmented if copy.task == name]
        audits[name] = audit_task(rows, copies, settings.protected.get(name, []), settings.favorable_labels.get(name, ""), settings)
    weights = [{"id": key, "weight": weight} for audit in audits.values() for key, weight in audit.weights.items()]
    with artifacts.replacing(artifacts.WEIGHTED) as unfinished:
        artifacts.write_table(unfinished, weights, artifacts.WEIGHT_SCHEMA)
    artifacts.write_text(artifacts.BIAS_REPORT, write_report(audits, settings, settings.favorable_labels))
    artifacts.write_json(artifacts.METRICS / "bias-audit.json", {name: audit.metrics() for name, audit in audits.items()})


if __name__ == "__main__":
    run("bias-audit", main)
