"""Stage clean: data/raw to data/clean by the filters of the profile; dropped rows are counted by source and reason."""

from __future__ import annotations

from compactlm import artifacts
from compactlm.corpus.clean.cleaning import clean_corpus, clean_metrics, sample_rows
from compactlm.corpus.clean.losses import losses
from compactlm.params import Params
from compactlm.pipeline.notices import tell
from compactlm.pipeline.run import run
from compactlm.shards.engine import make_engine
from compactlm.shards.gathering import MEGABYTE, gather


def main(params: Params) -> None:
    """Read data/raw and write data/clean, reports/metrics/clean.json, and samples and notices of the dropped rows."""
    engine = make_engine(params.data.engine, params.data.processes, params.data.address)
    raw = artifacts.parts(artifacts.RAW)
    shard_bytes = params.data.shard_megabytes * MEGABYTE
    cleaned = clean_corpus(raw, artifacts.SHARDS / "clean", params.clean, params.seed, engine, shard_bytes, params.split)
    tell("clean", losses(cleaned))
    with artifacts.replacing(artifacts.CLEAN) as directory:
        gather(cleaned.shards, directory)
    artifacts.write_rows_as_tsv(artifacts.SAMPLES / "dropped.tsv", ("source", "reason", "text"), sample_rows(cleaned.samples))
    artifacts.write_json(artifacts.METRICS / "clean.json", clean_metrics(cleaned))


if __name__ == "__main__":
    run("clean", main)
