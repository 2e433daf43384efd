"""Sources and word lists that params.yaml names by a file."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from compactlm.params import parse_params
from compactlm.params.files import insert_files, named_files
from compactlm.presets import compose
from compactlm.tasks import KINDS
from tests.params.default import ROOT, complaint
from tests.params.default import compose as compose_with

SOURCE = {"kind": "files", "path": "a.csv", "columns": {"text": "message"}}


@pytest.fixture
def content(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The default parameters as they are composed, at the root of the project."""
    monkeypatch.chdir(ROOT)
    composed: dict[str, Any] = yaml.safe_load(compose("default"))
    return composed


def test_params_yaml_is_short_and_names_every_source_and_word_list(content: dict[str, Any]) -> None:
    assert len(compose("default").splitlines()) <= 340
    assert set(named_files(content)) == {
        *(f"ingest.sources.{name}" for name in content["ingest"]["sources"]),
        "bias_audit.attributes.gender",
        "bias_audit.attributes.age",
        "bias_audit.attributes.nationality",
        "bias_audit.stereotypes.gender",
        "evaluate.slices",
    }


def test_every_file_of_sources_and_groups_is_valid(content: dict[str, Any]) -> None:
    for path in sorted((ROOT / "configs/sources").glob("*.yaml")):
        content["ingest"]["sources"][path.stem] = {"file": str(path.relative_to(ROOT))}
    for path in sorted((ROOT / "configs/words/groups").glob("*.yaml")):
        content["bias_audit"]["attributes"][path.stem] = {"file": str(path.relative_to(ROOT))}
    parse_params(content)


def test_a_source_is_defined_in_place_or_changes_values_of_its_file(content: dict[str, Any]) -> None:
    whole = insert_files(content)
    sources = content["ingest"]["sources"]
    sources |= {"messages": SOURCE, "tweets": sources["tweets"] | {"limit": 100, "columns": {"text": 1}}}
    given = copy.deepcopy(content)
    read = insert_files(content)["ingest"]["sources"]
    assert content == given
    assert read["messages"] == SOURCE
    before = whole["ingest"]["sources"]["tweets"]
    assert read["tweets"] == before | {"limit": 100, "columns": before["columns"] | {"text": 1}}
    params = parse_params(content)
    assert params.ingest.sources["tweets"].limit == 100
    assert params.ingest.sources["messages"].kind == "files"
    # Inserting the files again changes nothing, so params.yaml may hold everything in place.
    assert insert_files(whole) == whole


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("configs/sources/none.yaml", None, "configs/sources/none.yaml, which does not exist"),
        ("elsewhere/tweets.yaml", "kind: files", "a YAML file in configs/sources"),
        (3, None, "3, but it must be a YAML file in configs/sources"),
        ("configs/sources/a.yaml", "a: [", "configs/sources/a.yaml is not valid YAML"),
        ("configs/sources/a.yaml", "path: a\nkind: files\npath: b\n", "the key 'path' is given twice"),
        ("configs/sources/a.yaml", "- a", "configs/sources/a.yaml has no keys"),
    ],
)
def test_an_unusable_file_is_refused(
    content: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: Any, text: str | None, named: str
) -> None:
    whole = insert_files(content)
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path(name).parent.mkdir(parents=True)
        Path(name).write_text(text)
    whole["ingest"]["sources"]["tweets"] = {"file": name}
    found = complaint(whole)
    assert found.startswith("params.yaml: ingest.sources.tweets.file")
    assert named in found


def test_a_source_of_another_kind_than_its_file_needs_another_name(content: dict[str, Any]) -> None:
    content["ingest"]["sources"]["tweets"] |= SOURCE
    found = complaint(content)
    assert found.startswith("params.yaml: ingest.sources.tweets is of the kind 'files', but package, archive, member ")
    assert "configs/sources/tweets.yaml" in found


def test_the_data_of_all_kinds_of_task_make_an_experiment() -> None:
    params = parse_params(compose_with("data=kinds"))
    assert {task.kind for task in params.tasks.values()} == set(KINDS)
    assert {source for task in params.tasks.values() for source in task.sources} <= set(params.ingest.sources)
