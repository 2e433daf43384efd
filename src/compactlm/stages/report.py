"""Write the results for people: reports/index.html, the student's model card, and the tables behind `dvc plots`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.bert.runtime import prepare
from compactlm.evaluation.contestants import Role, load_reader
from compactlm.evaluation.predictions import read_answers
from compactlm.params import Params
from compactlm.pipeline.notices import read_notices
from compactlm.pipeline.run import run
from compactlm.report.card.card import write_card
from compactlm.report.card.snippets import Snippet, answering, comparing, filling, run_snippets, without_torch
from compactlm.report.findings import Findings, read_curves, read_folder
from compactlm.report.page import write_page
from compactlm.report.plots import plot_tables
from compactlm.report.verdict import gates


def _read(params: Params, test: list[Document]) -> Findings:
    return Findings(
        params=params,
        metrics=read_folder(artifacts.METRICS),
        timings=read_folder(artifacts.TIMINGS),
        answers=read_answers(artifacts.read_table(artifacts.PREDICTIONS).to_pylist(), test, params),
        curves=read_curves(artifacts.CURVES),
        frontier=read_folder(artifacts.FRONTIER).get("frontier", {}),
        ablations=read_folder(artifacts.ABLATIONS),
        mitigation=read_folder(artifacts.MITIGATION).get("mitigation", {}),
        benchmarks=read_folder(artifacts.BENCHMARKS),
        loop=read_folder(artifacts.LOOP),
        notices=read_notices(),
    )


def _snippets(params: Params, test: list[Document]) -> list[Snippet]:
    examples = []
    for name, task in params.tasks.items():
        title = "Classify" if task.kind == "classification" else "Answer"
        examples.append((f"{title}, {name}", answering(name, task, [row for row in test if row.task == name], params.seed)))
    examples.append(("Fill a masked word", filling()))
    light = [("Compare meanings without torch", comparing())]
    for name, task in list(params.tasks.items())[:1]:
        if task.kind == "classification" and not task.pair:
            example = without_torch(name, [row for row in test if row.task == name], params.seed)
            light.insert(0, ("Classify without torch, with ONNX Runtime (models/export)", example))
    with ThreadPoolExecutor() as pool:
        groups = pool.map(lambda group: run_snippets(group, params.threads), [examples, light])
        return [snippet for group in groups for snippet in group]


def main(params: Params) -> None:
    """Run the stage."""
    prepare(params.threads, params.seed)
    test = artifacts.read_documents(artifacts.SPLIT / "test")
    found = _read(params, test)
    role = Role("student", artifacts.STUDENT, params.tokenize.maximum_length)
    readers = {name: load_reader(role, name, task, params.batch_tokens) for name, task in params.tasks.items()}
    page = write_page(found, readers)
    card = write_card(found, test, _snippets(params, test))
    with artifacts.replacing(artifacts.REPORT_PLOTS) as unfinished:
        for name, columns, rows in plot_tables(found):
            artifacts.write_rows_as_tsv(unfinished / name, columns, rows)
    artifacts.write_text(artifacts.REPORT, page)
    artifacts.write_text(artifacts.MODEL_CARD, card)
    # The model hub expects the card here. .dvcignore hides it from the outputs of distill-train.
    artifacts.write_text(artifacts.STUDENT / artifacts.STUDENT_CARD_NAME, card)
    # The model gate ends the pipeline here and not in evaluate, so that the page is written first.
    gates(found)[1].enforce(params.bias_audit.gate.on_violation, str(artifacts.REPORT))


if __name__ == "__main__":
    run("report", main)
