"""Stage split: data/clean to train, validation and test in data/split."""

from __future__ import annotations

from compactlm import artifacts
from compactlm.corpus.split.metrics import split_metrics
from compactlm.corpus.split.rare_labels import labels_in_train_alone
from compactlm.corpus.split.split_diversity import add_near_duplicates, measure_splits, plot_rows
from compactlm.corpus.split.splitting import check_tasks, check_weights, losses, split_corpus
from compactlm.params import Params
from compactlm.pipeline.notices import tell
from compactlm.pipeline.run import run
from compactlm.shards.engine import make_engine
from compactlm.shards.gathering import MEGABYTE, gather

PLOTTED = {"words": ("words", "rows"), "vocabulary": ("words", "different")}


def main(params: Params) -> None:
    """Read data/clean and write data/split, its metrics, its figures of diversity and their plots."""
    engine = make_engine(params.data.engine, params.data.processes, params.data.address)
    clean = artifacts.parts(artifacts.CLEAN)
    shard_bytes = params.data.shard_megabytes * MEGABYTE
    found = split_corpus(clean, artifacts.SHARDS / "split", params.split, params.seed, engine, shard_bytes, params.tasks)
    check_tasks(found.rows, found.homes, found.groups, params.tasks)
    check_weights(found.rows, found.homes, found.mixture.labels, params.tasks)
    tell("split", [*labels_in_train_alone(found.rows, found.homes, found.groups, params.tasks), *losses(found, params.tasks)])
    with artifacts.replacing(artifacts.SPLIT) as directory:
        for name, shards in found.shards.items():
            gather(shards, directory / name)
    artifacts.write_json(artifacts.METRICS / "split.json", split_metrics(found, params.split, params.seed))
    figures = measure_splits(found.shards, params.diversity, params.seed)
    if found.clusters is not None:
        add_near_duplicates(figures, found.rows, found.homes, found.clusters)
    artifacts.write_json(artifacts.METRICS / "diversity.json", figures)
    for name, tables in plot_rows(figures).items():
        for split, rows in tables.items():
            artifacts.write_rows_as_tsv(artifacts.PLOTS / name / f"{split}.tsv", PLOTTED[name], rows)


if __name__ == "__main__":
    run("split", main)
