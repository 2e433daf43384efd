"""dvc.yaml, dvc.lock, reports/ and params.yaml agree with the code, without running anything."""

import ast
import collections
import functools
import hashlib
import json
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grimp
import pytest
from ruamel.yaml import YAML

from compactlm.params import Params, Section
from compactlm.params.files import FOLDERS
from compactlm.pipeline.code import RECORDS, fingerprints

ROOT = Path(__file__).parents[2]
# Packages that compute nothing: params/ reads and checks (see tests/params), pipeline/ runs the stages.
PLUMBING = ("compactlm.params", "compactlm.pipeline")
EMPTY = {"compactlm", "compactlm.errors", "compactlm.stages"}


def read(path: Path) -> Any:
    # Read like DVC: it writes 5e-05, which PyYAML reads as a string.
    return YAML(typ="safe").load(path)


STAGES = read(ROOT / "dvc.yaml")["stages"]
LOCK = read(ROOT / "dvc.lock")["stages"]
ALL_PARAMETERS = {"params.yaml": None}


def is_plumbing(module: str) -> bool:
    return module in EMPTY or any(module == package or module.startswith(f"{package}.") for package in PLUMBING)


@pytest.fixture(scope="module")
def imports():
    """Return the imports of all modules, without what PLUMBING imports to check parameters."""
    graph = grimp.build_graph("compactlm")
    for module in filter(is_plumbing, list(graph.modules)):
        for imported in list(graph.find_modules_directly_imported_by(module)):
            if not is_plumbing(imported):
                graph.remove_import(importer=module, imported=imported)
    return graph


def module_files(stage: str, imports: Any) -> set[str]:
    """Return the files of all modules that a stage imports, directly or indirectly."""
    module = STAGES[stage]["cmd"].rpartition(" ")[2]
    needed = {
        name for name in {module} | imports.find_upstream_modules(module) if not is_plumbing(name) and not imports.find_children(name)
    }
    return {f"src/{name.replace('.', '/')}.py" for name in needed}


def inside(path: str, dependency: str) -> bool:
    return f"{path}/".startswith(f"{dependency}/")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_exactly_on_the_code_that_it_imports(stage, imports):
    needed = module_files(stage, imports)
    declared = [dep for dep in STAGES[stage]["deps"] if dep.startswith("src/")]
    assert sorted(file for file in needed if not any(inside(file, dep) for dep in declared)) == []
    assert [dep for dep in declared if not any(inside(file, dep) for file in needed)] == []
    assert [dep for dep in declared if any(inside(dep, other) for other in declared if other != dep)] == []


@functools.cache
def parse(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def code_that_runs(stage: str, imports: Any) -> list[ast.AST]:
    """Return the nodes of the code that a stage may run: its modules' code outside functions, `main`, and all that these name.

    A function or class counts as run if running code contains its name. The result may therefore contain code that does not run, but it
    contains all code that runs. inference/ is left out, because it also runs without params.yaml, and attributes have names of parameters.
    """
    named: dict[str, list[ast.AST]] = collections.defaultdict(list)
    aliases: dict[str, str] = {}
    waiting: list[ast.AST] = []
    for file in module_files(stage, imports):
        if file.startswith("src/compactlm/inference/"):
            continue
        for statement in parse(file).body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                named[statement.name].append(statement)
            else:
                waiting.append(statement)
        aliases |= {
            one.asname: one.name for node in ast.walk(parse(file)) if isinstance(node, ast.ImportFrom) for one in node.names if one.asname
        }
    module = STAGES[stage]["cmd"].rpartition(".")[2]
    [main] = [node for node in parse(f"src/compactlm/stages/{module}.py").body if isinstance(node, ast.FunctionDef) and node.name == "main"]
    named.pop("main")
    waiting.append(main)
    found: list[ast.AST] = []
    while waiting:
        nodes = list(ast.walk(waiting.pop()))
        found += nodes
        for node in nodes:
            name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
            waiting += named.pop(aliases.get(name, name), [])
    return found


def subsection(field: Any) -> type[Section] | None:
    """Return the type of a field's section. Return None for a value, and for sections that have any name or several types."""
    kinds = [kind for kind in (typing.get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 and isinstance(kinds[0], type) and issubclass(kinds[0], Section) else None


def leaves(key: str, section: type[Section] = Params) -> list[str]:
    """Return the keys of all values in a part of params.yaml. Sections with free names count as one value, as in DVC."""
    first, _, rest = key.partition(".")
    inner = subsection(section.model_fields[first])
    if inner is None:
        return [first]
    return [f"{first}.{leaf}" for name in ([rest] if rest else inner.model_fields) for leaf in leaves(name, inner)]


# These settings change where and how safely a stage runs, not what it writes.
WITHOUT_EFFECT = {"distill.checkpoint_minutes", "data"}
# These stages check the losses early; distill-train, which uses them, depends on them.
CHECKED_EARLY = {"teacher": {"student", "signals", "distill"}, "signals": {"student", "distill"}}


@pytest.mark.parametrize("stage", [name for name in STAGES if STAGES[name]["params"] != [ALL_PARAMETERS]])
def test_a_stage_depends_exactly_on_the_parameters_that_its_code_reads(stage, imports):
    code = code_that_runs(stage, imports)
    names = {node.attr for node in code if isinstance(node, ast.Attribute)}
    names |= {node.value for node in code if isinstance(node, ast.Constant) and isinstance(node.value, str)}  # read by getattr
    looped = {node.iter.attr for node in code if isinstance(node, ast.For) and isinstance(node.iter, ast.Attribute)}

    def is_read(leaf: str) -> bool:
        parts = leaf.split(".")
        whole = next((at for at, part in enumerate(parts) if part in looped), len(parts))
        return set(parts[: whole + 1]) <= names

    declared = STAGES[stage]["params"]
    assert [leaf for key in declared for leaf in leaves(key) if not is_read(leaf) or covers(WITHOUT_EFFECT, leaf)] == []
    used = sorted(filter(None, map(parameter_key, code)))
    others = WITHOUT_EFFECT | CHECKED_EARLY.get(stage, set())
    assert [key for key in used if not covers({*declared, *others}, key) and not any(one.startswith(f"{key}.") for one in declared)] == []


def covers(keys: Iterable[str], leaf: str) -> bool:
    return any(f"{leaf}.".startswith(f"{key}.") for key in keys)


def parameter_key(node: ast.AST) -> str:
    """Return the key that an expression such as params.signals.source reads, or an empty string."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute) and node.attr != "params":
        attributes.insert(0, node.attr)
        node = node.value
    if not (isinstance(node, ast.Attribute) or (isinstance(node, ast.Name) and node.id == "params")):
        return ""
    section: type[Section] | None = Params
    keys: list[str] = []
    for name in attributes:
        if section is None or name not in section.model_fields:
            break
        keys.append(name)
        section = subsection(section.model_fields[name])
    return ".".join(keys)


def test_the_report_depends_on_all_metrics_timings_and_parameters():
    deps = STAGES["report"]["deps"]
    outs = [next(iter(out)) if isinstance(out, dict) else out for stage in STAGES.values() for out in stage.get("outs", [])]
    metrics = [name for stage in STAGES.values() for one in stage.get("metrics", []) for name in one]
    for path in [*metrics, *(out for out in outs if out.startswith("reports/timings/"))]:
        assert any(inside(path, dep) for dep in deps), path
    assert STAGES["report"]["params"] == [ALL_PARAMETERS]


def test_dvc_notices_a_change_in_every_file_that_params_yaml_may_name():
    for section, folder in FOLDERS.items():
        name = ".".join(part for part in section if part != "*")
        for stage, definition in STAGES.items():
            keys = [name if key == ALL_PARAMETERS else key for key in definition["params"]]
            uses = any(f"{name}.".startswith(f"{key}.") or f"{key}.".startswith(f"{name}.") for key in keys)
            watched = any(inside(str(folder), dep) for dep in definition["deps"])
            assert watched == uses, f"{stage} and {folder}"


@pytest.mark.parametrize("stage", STAGES)
def test_the_committed_run_is_of_this_code(stage):
    recorded = json.loads((ROOT / RECORDS / f"{stage}.json").read_text(encoding="utf-8"))
    present = fingerprints(stage, ROOT)
    changed = sorted(name for name in recorded | present if recorded.get(name) != present.get(name))
    assert not changed, f"{', '.join(changed)} changed after {stage} ran; run `dvc repro`"


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("stage", STAGES)
def test_the_committed_run_is_of_these_parameters_and_reports(stage):
    entry = LOCK[stage]
    assert {dep["path"] for dep in entry["deps"]} == set(STAGES[stage]["deps"])
    for out in entry["outs"]:
        if out["path"].startswith("reports/") and (ROOT / out["path"]).is_file():
            assert md5(ROOT / out["path"]) == out["md5"], f"{out['path']} is not what {stage} wrote; run `dvc repro`"
    params = read(ROOT / "params.yaml")
    for key, value in entry.get("params", {}).get("params.yaml", {}).items():
        section = params
        for part in key.split("."):
            section = section[part]
        assert section == value, f"{key} has changed since {stage} ran; run `dvc repro`"


def plots():
    """Yield each file and the columns that a plot draws. Without a column for an axis DVC uses the row number."""
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


def test_dvc_yaml_is_short():
    assert len((ROOT / "dvc.yaml").read_text(encoding="utf-8").splitlines()) <= 347
