"""`make seeds` keeps the figures of a run only if params.yaml has not changed since."""

import pytest
import yaml

pytestmark = pytest.mark.pipeline


def test_a_run_is_kept_unless_the_parameters_have_changed_since(smoke):
    output = smoke.run("python", "-m", "benchmarks.seeds")
    assert "| smoke | 17 |" in output
    params, kept = smoke.path("params.yaml"), smoke.path("reports/seeds.json").read_bytes()
    before = params.read_text()
    try:
        params.write_text(yaml.safe_dump(yaml.safe_load(before) | {"seed": 18}))
        output = smoke.run("python", "-m", "benchmarks.seeds", fails=True)
    finally:
        params.write_text(before)
    (sentence,) = output.strip().splitlines()
    assert sentence.startswith("seeds: ")
    assert all(fact in sentence for fact in ("reports/metrics", "params.yaml", "dvc repro"))
    assert smoke.path("reports/seeds.json").read_bytes() == kept
