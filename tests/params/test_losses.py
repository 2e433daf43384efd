"""Losses that cannot be had with these signals or this student are refused before anything runs."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from compactlm.params import Params, ParamsError, parse_params

PHASES = ["general", "task"]
NOTHING = {
    "soft_weight": 0.0,
    "hard_weight": 0.0,
    "hidden.weight": 0.0,
    "embeddings.weight": 0.0,
    "relations.weight": 0.0,
    "attention.weight": 0.0,
}


@pytest.fixture(scope="module")
def good(default_params: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(default_params)
    return content


def parsed(good: dict[str, Any], changes: Mapping[str, Any]) -> Params:
    content = copy.deepcopy(good)
    for path, value in changes.items():
        *keys, last = path.split(".")
        place = content
        for key in keys:
            place = place[key]
        assert last in place
        place[last] = value
    return parse_params(content)


def complaint(good: dict[str, Any], changes: Mapping[str, Any]) -> str:
    with pytest.raises(ParamsError) as caught:
        parsed(good, changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"attention.weight": 1.0},
            "attention has a weight, but attentions are not cached; set signals.source to online or the weight to 0",
        ),
        (
            {"embeddings.weight": 1.0},
            "embeddings has a weight, but signals.layers lacks 0, the embeddings; add it or set the weight to 0",
        ),
        (
            {"relations.weight": 1.0, "relations.heads": 5},
            "relations.heads is 5, which does not divide the student's hidden size 128; choose a number that divides the student's "
            "and the teacher's",
        ),
        (
            {"hidden.layers": [[2, 3], [4, 5]], "signals.layers": [3, 6]},
            "hidden.layers names the teacher's layer 5, which signals.layers lacks; add it there",
        ),
        (
            {"hidden.layers": [[2, 3], [5, 6]]},
            "hidden.layers names the student's layer 5, but student.layers is 4; correct one of the two",
        ),
        (
            {"relations.weight": 1.0, "relations.layers": [[3, 4], [4, 6]], "signals.layers": [3, 6]},
            "relations.layers names the teacher's layer 6, whose relations come from layer 5, which signals.layers lacks; add it there",
        ),
        (
            {"relations.weight": 1.0, "relations.layers": [[0, 4]]},
            "relations.layers pairs 0, the embeddings, which have no attention; name layers from 1",
        ),
        (
            {"relations.weight": 1.0, "relations.layers": [[7, 4]]},
            "relations.layers names the student's layer 7, but student.layers is 4; correct one of the two",
        ),
        ({"hidden.layers": [[4, 6], [4, 3]]}, "hidden.layers has the student's layer 4 twice; keep one of its pairs"),
        ({"hidden.layers": [[2, 3], [4, 6], [2, 3]]}, "hidden.layers has the student's layer 2 twice; keep one of its pairs"),
        (
            {"hidden.layers": [[4, 6], [2, 3]]},
            "hidden.layers has the student's layer 2 after 4; list the pairs in the order of the student's layers",
        ),
        (
            {"relations.weight": 1.0, "relations.layers": [[3, 4], [3, 4]]},
            "relations.layers has the student's layer 3 twice; keep one of its pairs",
        ),
        (NOTHING, " has no loss with a weight above 0; set one of the weights"),
    ],
)
def test_a_loss_that_cannot_be_had_is_refused_in_a_sentence(
    good: dict[str, Any], phase: str, changes: dict[str, Any], sentence: str
) -> None:
    where = f"distill.{phase}"
    found = complaint(good, {path if path.startswith("signals") else f"{where}.{path}": value for path, value in changes.items()})
    assert found == f"params.yaml: {where}{'' if sentence.startswith(' ') else '.'}{sentence}"


@pytest.mark.parametrize("phase", PHASES)
def test_attention_pairs_are_of_layers_with_attention(good: dict[str, Any], phase: str) -> None:
    changes = {"signals.source": "online", f"distill.{phase}.attention.weight": 1.0, f"distill.{phase}.attention.layers": [[1, 0]]}
    assert f"distill.{phase}.attention.layers pairs 0, the embeddings, which have no attention" in complaint(good, changes)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("loss", NOTHING)
def test_any_loss_alone_is_enough(good: dict[str, Any], phase: str, loss: str) -> None:
    changes = {f"distill.{phase}.{path}": 0.5 if path == loss else weight for path, weight in NOTHING.items()}
    params = parsed(good, {**changes, "signals.source": "online", "signals.layers": [0, 1, 2, 3, 4, 5, 6]})
    assert getattr(params.distill, phase).soft_weight == (0.5 if loss == "soft_weight" else 0)


@pytest.mark.parametrize("phase", PHASES)
def test_layers_of_a_loss_without_a_weight_do_not_matter(good: dict[str, Any], phase: str) -> None:
    where = f"distill.{phase}"
    changes = {f"{where}.hidden.weight": 0.0, **{f"{where}.{loss}.layers": [[9, 9]] for loss in ("hidden", "relations", "attention")}}
    assert parsed(good, {**changes, f"{where}.relations.heads": 5}).signals.layers == 2


def test_a_layer_is_kept_once(good: dict[str, Any]) -> None:
    assert complaint(good, {"signals.layers": [3, 6, 3]}).endswith("signals.layers names a layer twice; name each once")
    assert "signals.layers" in complaint(good, {"signals.layers": []})


@pytest.mark.parametrize("layers", ["first", [], [[1]], [[1, 2, 3]], [[1, -2]], [["a", 1]], 4])
def test_a_layer_map_of_another_kind_is_named(good: dict[str, Any], layers: Any) -> None:
    assert "distill.task.hidden.layers" in complaint(good, {"distill.task.hidden.layers": layers})


def test_pairs_and_names_are_layer_maps(good: dict[str, Any]) -> None:
    # Several of the student's layers may learn from one, and from an earlier one.
    changes = {"distill.task.hidden.layers": [[1, 6], [2, 3], [4, 3]], "distill.general.hidden.layers": "last"}
    params = parsed(good, changes)
    assert params.distill.task.hidden.layers == [(1, 6), (2, 3), (4, 3)]
    assert params.distill.general.hidden.layers == "last"
