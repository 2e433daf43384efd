"""Losses that do not fit the signals or the student are refused before anything runs."""

from typing import Any

import pytest

from compactlm.params import parse_params
from tests.params.default import changed, complaint, with_changes

PHASES = ["general", "task"]
LOSSES = ["soft_weight", "hard_weight", "hidden.weight", "embeddings.weight", "relations.weight", "attention.weight"]
NOTHING = dict.fromkeys(LOSSES, 0.0)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"attention.weight": 1.0}, ".attention has a weight, but attentions are not cached"),
        ({"embeddings.weight": 1.0, "signals.layers": [3, 6]}, ".embeddings has a weight, but signals.layers lacks 0, the embeddings"),
        ({"embeddings.weight": 1.0}, ".embeddings has a weight, but signals.layers is 2, which never includes the embeddings (0); "),
        ({"relations.weight": 1.0, "relations.heads": 5}, ".relations.heads is 5, which does not divide the student's hidden size 128"),
        ({"hidden.layers": [[2, 3], [4, 5]], "signals.layers": [3, 6]}, ".hidden.layers names the teacher's layer 5, which signals.layers"),
        ({"hidden.layers": [[2, 3], [5, 6]]}, ".hidden.layers names the student's layer 5, but student.layers is 4"),
        (
            {"relations.weight": 1.0, "relations.layers": [[3, 4], [4, 6]], "signals.layers": [3, 6]},
            ".relations.layers names the teacher's layer 6, whose relations come from layer 5, which signals.layers lacks",
        ),
        ({"relations.weight": 1.0, "relations.layers": [[0, 4]]}, ".relations.layers pairs 0, the embeddings, which have no attention"),
        ({"relations.weight": 1.0, "relations.layers": [[7, 4]]}, ".relations.layers names the student's layer 7, but student.layers is 4"),
        ({"hidden.layers": [[4, 6], [4, 3]]}, ".hidden.layers has the student's layer 4 twice"),
        ({"hidden.layers": [[2, 3], [4, 6], [2, 3]]}, ".hidden.layers has the student's layer 2 twice"),
        ({"hidden.layers": [[4, 6], [2, 3]]}, ".hidden.layers has the student's layer 2 after 4"),
        ({"relations.weight": 1.0, "relations.layers": [[3, 4], [3, 4]]}, ".relations.layers has the student's layer 3 twice"),
        (
            {"signals.source": "online", "attention.weight": 1.0, "attention.layers": [[1, 0]]},
            ".attention.layers pairs 0, the embeddings, which have no attention",
        ),
        (NOTHING, " has no loss with a weight above 0"),
    ],
)
def test_a_loss_that_does_not_fit_is_refused(phase: str, changes: dict[str, Any], facts: str) -> None:
    changes = {**({"hidden.weight": 2.0} if any(path.startswith("hidden.layers") for path in changes) else {}), **changes}
    full = {path if path.startswith("signals") else f"distill.{phase}.{path}": value for path, value in changes.items()}
    assert complaint(with_changes(full)).startswith(f"params.yaml: distill.{phase}{facts}")


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("loss", LOSSES)
def test_one_loss_is_enough(phase: str, loss: str) -> None:
    changes = {f"distill.{phase}.{path}": 0.5 if path == loss else 0.0 for path in LOSSES}
    params = parse_params(with_changes({**changes, "signals.source": "online", "signals.layers": [0, 1, 2, 3, 4, 5, 6]}))
    assert getattr(params.distill, phase).soft_weight == (0.5 if loss == "soft_weight" else 0)


@pytest.mark.parametrize("phase", PHASES)
def test_layers_of_a_loss_without_a_weight_do_not_matter(phase: str) -> None:
    where = f"distill.{phase}"
    changes = {f"{where}.hidden.weight": 0.0, **{f"{where}.{loss}.layers": [[9, 9]] for loss in ("hidden", "relations", "attention")}}
    assert parse_params(with_changes({**changes, f"{where}.relations.heads": 5})).signals.layers == 2


@pytest.mark.parametrize(
    ("path", "layers", "facts"),
    [
        ("signals.layers", [3, 6, 3], "signals.layers names a layer twice"),
        ("signals.layers", [], "signals.layers"),
        *(("distill.task.hidden.layers", layers, "distill.task.hidden.layers") for layers in ([[1, 2, 3]], [["a", 1]], 4)),
    ],
)
def test_invalid_lists_of_layers_are_refused(path: str, layers: Any, facts: str) -> None:
    assert facts in complaint(changed(path, layers))


def test_pairs_and_names_are_layer_maps() -> None:
    # Several of the student's layers may learn from one, and from an earlier one.
    changes = {"distill.task.hidden.layers": [[1, 6], [2, 3], [4, 3]], "distill.general.hidden.layers": "last"}
    params = parse_params(with_changes(changes))
    assert params.distill.task.hidden.layers == [(1, 6), (2, 3), (4, 3)]
    assert params.distill.general.hidden.layers == "last"


def test_an_embedding_without_losses_is_refused_unless_it_is_off() -> None:
    losses = ("cosine", "mse", "components", "similarity_kl", "similarity_mse", "contrastive", "opposites")
    nothing = {f"distill.embedding.{loss}.weight": 0.0 for loss in losses}
    assert "distill.embedding has no loss with a weight above 0" in complaint(with_changes(nothing))
    assert parse_params(with_changes({**nothing, "distill.embedding.enabled": False})).distill.embedding.enabled is False


def test_a_task_cannot_start_from_an_embedding_that_is_off() -> None:
    off = {"distill.embedding.enabled": False, "distill.task.start": "embedding"}
    assert "distill.task.start is embedding, but distill.embedding.enabled is false" in complaint(with_changes(off))
