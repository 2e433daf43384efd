"""Stage clean: data/raw to data/clean by the filters of the profile, every dropped row counted by reason and source."""

from __future__ import annotations

from compactlm import artifacts
from compactlm.corpus.cleaning import filters_of
from compactlm.corpus.deduplication import check_something_left, clean_documents, clean_metrics
from compactlm.params import Params
from compactlm.stages.run import run


def main(params: Params) -> None:
    """Read data/raw and write data/clean and reports/metrics/clean.json."""
    documents = artifacts.read_documents(artifacts.RAW)
    cleaned = clean_documents(documents, filters_of(params.clean))
    check_something_left(documents, cleaned)
    with artifacts.replacing(artifacts.CLEAN) as directory:
        artifacts.write_documents(directory, cleaned.documents)
    artifacts.write_json(artifacts.METRICS / "clean.json", clean_metrics(documents, cleaned))


if __name__ == "__main__":
    run("clean", main)
