"""dvc.yaml, dvc.lock, reports/ and params.yaml agree with the code, without running anything."""

from __future__ import annotations

import hashlib
from pathlib import Path

import grimp
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
# Plumbing that cannot change what a stage computes: checks of parameters, messages, the wrapper that prints them.
PLUMBING = {"compactlm", "compactlm.params", "compactlm.errors", "compactlm.stages", "compactlm.pipeline.run"}


def read(path: Path):
    # As DVC reads: PyYAML takes 5e-05, which DVC writes, for a text.
    return YAML(typ="safe").load(path)


STAGES = read(ROOT / "dvc.yaml")["stages"]
LOCK = read(ROOT / "dvc.lock")["stages"]


@pytest.fixture(scope="module")
def imports():
    return grimp.build_graph("compactlm")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_every_module_that_it_imports(stage, imports):
    module = STAGES[stage]["cmd"].rpartition(" ")[2]
    needed = {module} | imports.find_upstream_modules(module)
    needed -= PLUMBING | imports.find_descendants("compactlm.params")
    needed = {name for name in needed if not imports.find_children(name)}
    declared = {dep for dep in STAGES[stage]["deps"] if dep.endswith(".py")}
    assert declared == {f"src/{name.replace('.', '/')}.py" for name in needed}


def test_the_report_depends_on_all_templates_and_all_that_is_measured():
    deps = set(STAGES["report"]["deps"])
    templates = {path.relative_to(ROOT).as_posix() for path in (ROOT / "src/compactlm/report/templates").iterdir()}
    assert templates == {dep for dep in deps if "/templates/" in dep}
    metrics = {name for stage in STAGES.values() for one in stage.get("metrics", []) for name in one}
    outs = [next(iter(out)) if isinstance(out, dict) else out for stage in STAGES.values() for out in stage.get("outs", [])]
    assert metrics | {out for out in outs if out.startswith("reports/timings/")} <= deps
    assert set(read(ROOT / "params.yaml")) == set(STAGES["report"]["params"])


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("stage", STAGES)
def test_the_committed_run_is_of_this_code_and_these_parameters(stage):
    entry = LOCK[stage]
    assert {dep["path"] for dep in entry["deps"]} == set(STAGES[stage]["deps"])
    for dep in entry["deps"]:
        if (ROOT / dep["path"]).is_file():
            assert md5(ROOT / dep["path"]) == dep["md5"], f"{dep['path']} has changed since {stage} ran; run `dvc repro`"
    for out in entry["outs"]:
        if out["path"].startswith("reports/") and (ROOT / out["path"]).is_file():
            assert md5(ROOT / out["path"]) == out["md5"], f"{out['path']} is not what {stage} wrote; run `dvc repro`"
    params = read(ROOT / "params.yaml")
    for key, value in entry["params"]["params.yaml"].items():
        section = params
        for part in key.split("."):
            section = section[part]
        assert section == value, f"{key} has changed since {stage} ran; run `dvc repro`"


def plots():
    """Yield each file with each column that a plot draws of it; DVC takes an axis that is not named for the number of the row."""
    declared = [one for stage in STAGES.values() for one in stage.get("plots", [])] + read(ROOT / "dvc.yaml")["plots"]
    for one in declared:
        [(name, properties)] = one.items()
        axes = [properties.get(axis) for axis in ("x", "y")]
        inner = [axis for axis in axes if isinstance(axis, dict)]
        for path in sorted({path for axis in inner for path in axis}) or [name]:
            yield path, [axis[path] if isinstance(axis, dict) else axis for axis in axes]


@pytest.mark.parametrize(("path", "columns"), plots())
def test_a_plot_names_columns_that_its_files_have(path, columns):
    place = ROOT / path
    files = sorted(place.iterdir()) if place.is_dir() else [place]
    assert files
    for file in files:
        with file.open(encoding="utf-8") as lines:
            assert set(columns) <= set(next(lines).rstrip("\n").split("\t")), file
