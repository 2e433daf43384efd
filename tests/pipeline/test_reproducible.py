"""The smoke preset gives the same artifacts and figures in another fresh checkout."""

import pytest
import yaml

pytestmark = pytest.mark.pipeline

DATA_STAGES = ("ingest", "clean", "split", "augment", "bias-audit", "tokenize", "signals")


def lock(checkout):
    return yaml.safe_load(checkout.path("dvc.lock").read_text())["stages"]


def test_two_runs_from_fresh_checkouts_agree(smoke, checkout):
    # tests/stages and tests/export check that evaluate and export are reproducible.
    checkout.run("dvc", "repro", "distill-train")
    ours, theirs = lock(smoke), lock(checkout)
    for stage in DATA_STAGES:
        assert ours[stage]["outs"] == theirs[stage]["outs"], stage
    for stage in (*DATA_STAGES, "teacher", "distill-train"):
        metrics = ("reports", "metrics", f"{stage}.json")
        assert smoke.path(*metrics).read_bytes() == checkout.path(*metrics).read_bytes(), stage
