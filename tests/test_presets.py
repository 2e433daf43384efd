import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from compactlm import presets
from compactlm.errors import CompactLMError
from compactlm.params import parse_params
from compactlm.params.files import insert_files
from compactlm.presets import HEAD, compose, select, without_head
from compactlm.shapes.budget import fitting_vocabulary, parameters_of

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.stem for path in (ROOT / "configs" / "preset").glob("*.yaml"))
OWN = "\n# a note of my own\nseed: 18\n"


@pytest.fixture(scope="module")
def composed():
    """The text of each preset, composed once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return {name: compose(name) for name in NAMES}


@pytest.fixture
def workspace(tmp_path, monkeypatch, composed):
    """A directory with configs/ but no params.yaml or git repository; presets are composed from memory, which takes no time."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def compose_from_memory(name):
        return composed[name] if name in composed else compose(name)

    monkeypatch.setattr(presets, "compose", compose_from_memory)
    return tmp_path


def commit():
    """Commit params.yaml in a new repository."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "params.yaml"], [*identity, "commit", "--quiet", "-m", "own values"]):
        subprocess.run(["git", *arguments], check=True, capture_output=True)


def write(text):
    Path("params.yaml").write_text(text, encoding="utf-8")


def parsed(text):
    return parse_params(insert_files(yaml.safe_load(text), ROOT))


def read():
    return Path("params.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_is_valid_and_contains_its_name(composed, name):
    assert parsed(composed[name]).preset == name


def test_the_committed_parameters_are_the_default_preset(composed):
    # Hydra rewrites params.yaml as a whole, so a difference would show as a change after every `dvc exp run`. Another preset may be
    # selected only in the work tree, and a change of configs/ may not be committed yet.
    committed = subprocess.run(["git", "show", "HEAD:params.yaml"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    # `dvc exp run` leaves out the two lines at the head.
    present = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert without_head(composed["default"]) in (without_head(present), without_head(committed))


def test_smoke_is_the_default_on_fewer_rows_and_both_need_only_a_package_index(composed):
    default, smoke = (parsed(composed[name]) for name in ("default", "smoke"))
    assert set(smoke.ingest.sources) == set(default.ingest.sources)
    assert all(source.limit is not None and source.limit <= 1000 for source in smoke.ingest.sources.values())
    assert smoke.teacher.source == default.teacher.source
    assert (smoke.student.layers, smoke.student.hidden_size) == (default.student.layers, default.student.hidden_size)
    for params in (default, smoke):
        assert {source.kind for source in params.ingest.sources.values()} | {params.teacher.source.kind} == {"package"}


def test_students_have_at_most_a_tenth_of_the_parameters(composed):
    default, large = (parsed(composed[name]) for name in ("default", "bert-base"))
    for params, most in ((default, 2_271_398), (large, 10_948_377)):
        assert params.student.vocabulary_size == "fit"
        assert int(params.teacher.parameters * params.student.budget) == most
        assert parameters_of(params.student, fitting_vocabulary(params.student, most)) <= most
    assert (large.student.layers, large.student.hidden_size) == (6, 256)
    assert large.teacher.parameters == 109_483_778
    assert large.teacher.source.kind == "hub"


def test_a_missing_file_and_another_preset_are_replaced(workspace, composed):
    for name in ("smoke", "bert-base", None):
        assert select(name) == f"params.yaml is now the preset {name or 'default'}"
        assert read() == composed[name or "default"]
    assert select(None) == select("default") == "params.yaml is the preset default"


@pytest.mark.parametrize("name", [None, "default", "smoke"])
def test_a_preset_without_its_head_as_dvc_composes_it_is_replaced(workspace, composed, name):
    write(without_head(composed["quality"]))
    select(name)
    assert read() == composed[name or "default"]
    assert read().startswith(HEAD)
    assert len(HEAD.splitlines()) == 1


@pytest.mark.parametrize("name", ["default", "smoke"])
def test_own_values_are_used_and_are_not_overwritten_by_a_preset(workspace, composed, name):
    write(composed["default"] + OWN)
    assert "which are used" in select(None)
    with pytest.raises(CompactLMError, match=f"values of its own that PRESET={name} would overwrite"):
        select(name)
    assert read() == composed["default"] + OWN


def test_only_committed_own_values_are_overwritten_by_a_named_preset(workspace, composed):
    write(composed["default"] + OWN)
    commit()
    write(composed["default"] + OWN.replace("18", "19"))
    with pytest.raises(CompactLMError, match="values of its own"):
        select("smoke")
    assert "seed: 19" in read()
    write(composed["default"] + OWN)
    assert "which are used" in select(None)
    assert read() == composed["default"] + OWN
    assert select("smoke") == "params.yaml is now the preset smoke"
    assert read() == composed["smoke"]


def test_a_preset_of_a_changed_configuration_is_replaced(workspace, composed, monkeypatch):
    select("smoke")
    monkeypatch.setitem(composed, "smoke", composed["smoke"].replace("seed: 17", "seed: 18"))
    select("smoke")
    assert "seed: 18" in (workspace / "params.yaml").read_text()


def test_an_invalid_preset_is_refused_and_not_written(workspace, composed):
    select("smoke")
    Path("configs/preset/mine.yaml").write_text("# @package _global_\npreset: mine\nsignals: {layers: 0}\n")
    with pytest.raises(CompactLMError, match=r"^configs/preset/mine.yaml: signals\.layers is 0"):
        select("mine")
    assert read() == composed["smoke"]


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("preset/mine", "preset: mine\nseed: 99\n", "does not begin with the line `# @package _global_`"),
        ("preset/mine", "\ufeff# @package _global_\npreset: mine\n", "begins with a byte order mark"),
        ("data/own", "ingest: {}\n", "does not begin with the line `# @package _global_`"),
        ("adopted/rows", "ingest: {}\n", "does not begin with the line `# @package _global_`"),
    ],
)
def test_a_file_that_hydra_would_ignore_is_refused(workspace, path, content, message):
    Path("configs/preset/mine.yaml").write_text("# @package _global_\n# mine\npreset: mine\nseed: 99\n")
    assert yaml.safe_load(compose("mine"))["seed"] == 99
    Path(f"configs/{path}.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(CompactLMError, match=rf"^configs/{path}.yaml {message}"):
        compose("mine")


@pytest.mark.parametrize("content", [b"seed: \xd0(\n", b"seed: [\n", b"seed: ${nothing}\n", b"defaults: 3\n", b"- 1\n"])
def test_a_damaged_file_is_one_sentence(workspace, content):
    """`make fuzz` found the first, which is no UTF-8."""
    Path("configs/preset/mine.yaml").write_bytes(b"# @package _global_\npreset: mine\n" + content)
    with pytest.raises(CompactLMError, match=r"^the preset mine cannot be composed from configs/ \(.+\); correct the file there$"):
        compose("mine")


def test_a_damaged_params_yaml_has_values_of_its_own(workspace):
    Path("params.yaml").write_bytes(b"preset: \xd0(\n")
    assert "params.yaml has values of its own" in select(None)
    assert Path("params.yaml").read_bytes() == b"preset: \xd0(\n"


def test_a_file_of_data_may_change_the_settings_of_every_section(workspace):
    own = {
        "seed": 99,
        "clean": {"minimum_characters": 77},
        "split": {"placement": "stable"},
        "augment": {"copies": 5},
        "bias_audit": {"minimum_group_rows": 33},
        "evaluate": {"robustness": {"rows": 44}},
    }
    base = yaml.safe_load(Path("configs/data/embedded.yaml").read_text(encoding="utf-8"))
    text = "# @package _global_\n" + yaml.safe_dump({**base, **own, "bias_audit": base["bias_audit"] | own["bias_audit"]})
    Path("configs/data/mine.yaml").write_text(text, encoding="utf-8")
    Path("configs/preset/mine.yaml").write_text("# @package _global_\ndefaults: [{override /data: mine}]\npreset: mine\n")
    found = yaml.safe_load(compose("mine"))
    for section, settings in own.items():
        read = found[section]
        assert read == settings if section == "seed" else _contains(read, settings), section


def _contains(found, settings):
    return all(_contains(found[key], value) if isinstance(value, dict) else found[key] == value for key, value in settings.items())


@pytest.mark.parametrize(
    ("text", "committed", "name", "expected"),
    [
        ("default", False, "default", ["default"]),
        ("smoke", False, "default", ["default", "smoke"]),
        ("own", True, "default", ["default"]),
        ("own", False, None, ["default"]),
    ],
)
def test_only_the_necessary_presets_are_composed(workspace, composed, monkeypatch, text, committed, name, expected):
    write(composed.get(text, composed["default"] + OWN))
    if committed:
        commit()
    names = []
    monkeypatch.setattr(presets, "compose", lambda name: names.append(name) or composed[name])
    select(name)
    assert names == expected
