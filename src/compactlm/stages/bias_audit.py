"""Audit the labelled train rows for bias before and after augmentation, and mitigate it by weights, counterfactual copies or both."""

from __future__ import annotations

import sys

from compactlm import artifacts
from compactlm.fairness.audit.data_report import write_report
from compactlm.fairness.audit.training_data import audit_task, data_gate
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import write_figures
from compactlm.params import Params
from compactlm.pipeline.run import run


def main(params: Params) -> None:
    """Run the stage."""
    settings, resampler = params.bias_audit, Resampler.of(params.bootstrap, params.seed)
    train = artifacts.read_documents(artifacts.SPLIT / "train")
    augmented = artifacts.read_documents(artifacts.AUGMENTED)
    audits = {}
    for name, task in params.tasks.items():
        rows = [row for row in train if row.task == name]
        copies = [copy for copy in augmented if copy.task == name]
        audits[name] = audit_task(rows, copies, name, task, settings, resampler)
    weights = [{"id": key, "weight": weight} for audit in audits.values() for key, weight in audit.weights.items()]
    with artifacts.replacing(artifacts.WEIGHTED) as unfinished:
        artifacts.write_table(unfinished, weights, artifacts.WEIGHT_SCHEMA)
    with artifacts.replacing(artifacts.COUNTERFACTUAL) as unfinished:
        artifacts.write_documents(unfinished, [copy for audit in audits.values() for copy in audit.counterfactuals.copies])
    artifacts.write_text(artifacts.BIAS_REPORT, write_report(audits, settings, params.bootstrap))
    artifacts.write_json(artifacts.METRICS / "bias-audit.json", write_figures({name: audit.metrics() for name, audit in audits.items()}))
    gate = data_gate(audits)
    sys.stdout.writelines(f"{line}\n" for line in gate.lines())
    gate.enforce(settings.gate.on_violation, str(artifacts.BIAS_REPORT))


if __name__ == "__main__":
    run("bias-audit", main)
