"""Figures are kept of a run that is of the parameters that are here, and of no other."""

import yaml


def test_a_run_is_kept_unless_the_parameters_have_changed_since(smoke):
    said = smoke.run("python", "-m", "benchmarks.seeds")
    assert "| smoke | 17 |" in said
    params, kept = smoke.path("params.yaml"), smoke.path("reports/seeds.json").read_bytes()
    before = params.read_text()
    try:
        params.write_text(yaml.safe_dump(yaml.safe_load(before) | {"seed": 18}))
        said = smoke.run("python", "-m", "benchmarks.seeds", fails=True)
    finally:
        params.write_text(before)
    assert said.strip() == "seeds: the figures in reports/metrics are not those of params.yaml as it is; run `dvc repro` first"
    assert smoke.path("reports/seeds.json").read_bytes() == kept
