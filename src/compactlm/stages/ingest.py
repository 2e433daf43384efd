"""Stage ingest: the sources in params.yaml to data/raw, with metrics and the data card."""

from __future__ import annotations

from compactlm import artifacts
from compactlm.corpus.ingest.datacard import data_card, ingest_metrics
from compactlm.corpus.ingest.sources import read_sources
from compactlm.params import Params
from compactlm.pipeline.run import run
from compactlm.shards.gathering import MEGABYTE, gather


def main(params: Params) -> None:
    """Read all sources and write data/raw, reports/metrics/ingest.json and the data card."""
    extracts = read_sources(params.ingest, params.tasks, params.seed, artifacts.SHARDS / "ingest", params.data.shard_megabytes * MEGABYTE)
    with artifacts.replacing(artifacts.RAW) as directory:
        gather([shard for extract in extracts.values() for shard in extract.shards], directory)
    artifacts.write_json(artifacts.METRICS / "ingest.json", ingest_metrics(extracts))
    artifacts.write_text(artifacts.DATA_CARD, data_card(params.ingest, extracts))


if __name__ == "__main__":
    run("ingest", main)
