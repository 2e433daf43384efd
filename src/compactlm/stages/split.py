"""Stage split: data/clean to train, validation and test in data/split."""

from __future__ import annotations

from compactlm import artifacts
from compactlm.corpus.splitting import check_tasks, split_documents, split_metrics
from compactlm.params import Params
from compactlm.stages.run import run


def main(params: Params) -> None:
    """Read data/clean and write data/split and reports/metrics/split.json."""
    documents = artifacts.read_documents(artifacts.CLEAN)
    splits = split_documents(documents, params.split, params.seed)
    check_tasks(splits, params.tasks)
    with artifacts.replacing(artifacts.SPLIT) as directory:
        for name, rows in splits.items():
            artifacts.write_documents(directory / name, rows)
    artifacts.write_json(artifacts.METRICS / "split.json", split_metrics(splits, documents, params.split, params.seed))


if __name__ == "__main__":
    run("split", main)
