"""configs/frontier.yaml gives comparable students. An error in it gives one sentence."""

import copy
from pathlib import Path

import pytest
import yaml

from benchmarks.shapes.config import FRONTIER, Frontier, compose_all, read_listed
from compactlm.errors import CompactLMError
from compactlm.shapes.budget import parameters_of

ROOT = Path(__file__).parents[3]
GOOD = {
    "overrides": ["student.vocabulary_size=300"],
    "enough": 0.9,
    "budget": 0.1,
    "latency": {"tokens": 16, "warm_up": 0, "runs": 5},
    "shapes": [{"name": "1x8", "layers": 1, "hidden_size": 8, "attention_heads": 2, "intermediate_size": 16}],
}


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def changed(key, value):
    content = section = copy.deepcopy(GOOD)
    *parents, last = key
    for parent in parents:
        section = section[parent]
    section[last] = value
    return content


def test_default_shapes_have_half_a_million_to_five_million_parameters_and_share_all_other_settings():
    composed = compose_all(read_listed(Frontier, FRONTIER))
    sizes = [parameters_of(params.student, params.student.vocabulary_size) for params in composed.values()]
    assert sizes == sorted(sizes)
    assert len(sizes) == 5
    assert sizes[0] == pytest.approx(0.5e6, rel=0.15)
    assert sizes[-1] == pytest.approx(5e6, rel=0.15)
    shape = {"layers", "hidden_size", "attention_heads", "intermediate_size"}
    rest = [params.model_dump() | {"student": params.student.model_dump(exclude=shape)} for params in composed.values()]
    assert all(one == rest[0] for one in rest)


def test_overrides_of_the_command_line_apply():
    (params,) = compose_all(Frontier.model_validate(GOOD), ["preset=smoke", "seed=18"]).values()
    assert (params.preset, params.seed, params.student.vocabulary_size) == ("smoke", 18, 300)
    assert (params.student.layers, params.student.hidden_size, params.student.intermediate_size) == (1, 8, 16)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (["shapes"], [], r"shapes is \[\], but list should have at least 1 item"),
        (["shapes", 0, "name"], "4 x 8", "shapes.0.name is '4 x 8', but string should match pattern"),
        (["shapes", 0, "layers"], "four", "shapes.0.layers is 'four', but input should be a valid integer; correct it"),
        (["shapes", 0, "depth"], 3, "shapes.0.depth is not a known parameter; remove it or correct its spelling"),
        (["shapes", 0], {"name": "a", "layers": 1}, "shapes.0.hidden_size is missing; add it"),
        (["shapes"], [GOOD["shapes"][0]] * 2, "shapes has two of the name '1x8'; rename one"),
        (["enough"], 95, "enough is 95, but input should be less than or equal to 1"),
        (["overrides"], ["student.layers=2"], "overrides sets student.layers"),
        (["overrides"], ["preset"], "overrides has 'preset', which sets no value; write it as key=value"),
    ],
)
def test_a_wrong_value_gives_a_sentence_with_its_key(tmp_path, key, value, message):
    path = tmp_path / "frontier.yaml"
    path.write_text(yaml.safe_dump(changed(key, value)))
    with pytest.raises(CompactLMError, match=message) as caught:
        read_listed(Frontier, path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"), [("", "yaml: "), ("- 1", "yaml: "), ("shapes: [", "yaml is not valid YAML"), (None, "yaml is missing")]
)
def test_a_file_without_shapes_is_refused(tmp_path, content, message):
    path = tmp_path / "frontier.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CompactLMError, match=f"frontier.{message}"):
        read_listed(Frontier, path)


@pytest.mark.parametrize(
    ("key", "value", "more", "message"),
    [
        (["shapes", 0, "attention_heads"], 3, [], "shape 1x8: student: hidden_size 8 is not a multiple of attention_heads 3"),
        (["shapes", 0, "hidden_size"], 2048, [], r"shape 1x8: the student has .*, but student.budget allows"),
        (["overrides"], [], [], "student.vocabulary_size is fit, which gives every shape a vocabulary"),
        (["overrides"], ["preset=huge"], [], f"shape 1x8: .*Could not find 'preset/huge'; correct the overrides in {FRONTIER}"),
        (["latency", "tokens"], 4096, [], "latency.tokens is 4096 .* but a student accepts 512"),
        (["enough"], 0.5, ["student.size=3"], "shape 1x8: Could not override 'student.size'"),
        (["enough"], 0.5, ["student.layers=3"], "the command line sets student.layers"),
    ],
)
def test_settings_that_cannot_be_trained_are_refused_before_anything_is_queued(key, value, more, message):
    with pytest.raises(CompactLMError, match=message) as caught:
        compose_all(Frontier.model_validate(changed(key, value)), more)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_preset_without_effect_is_refused():
    frontier = read_listed(Frontier, FRONTIER)
    preset = yaml.safe_load((ROOT / "configs/preset/quality.yaml").read_text(encoding="utf-8"))
    everything = [*frontier.overrides, *(f"{key}={value}" for key, value in leaves(preset) if key != "preset")]
    with pytest.raises(CompactLMError, match=r"preset=quality changes nothing .*configs/frontier\.yaml"):
        compose_all(frontier.model_copy(update={"overrides": everything}), ["preset=quality"])
    assert compose_all(frontier, ["preset=quality"])


def leaves(section, before=""):
    """Yield the keys of a section with dots, and their values."""
    for key, value in section.items():
        yield from leaves(value, f"{before}{key}.") if isinstance(value, dict) else [(f"{before}{key}", value)]
