from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig

from compactlm.errors import CompactLMError
from compactlm.shapes.layers import Shape, check_both_phases, check_losses, check_pairs, find_pairs, kept_layers

DEPTHS = st.integers(1, 48)


def all_pairs(layers, student, teacher, loss="hidden"):
    return find_pairs(f"distill.task.{loss}", layers, student, teacher, range(teacher + 1))[0]


@pytest.mark.parametrize(
    ("layers", "student", "teacher", "expected"),
    [
        ("uniform", 4, 6, [(0, 0), (1, 2), (2, 3), (3, 5), (4, 6)]),
        ("uniform", 3, 12, [(0, 0), (1, 4), (2, 8), (3, 12)]),
        ("uniform", 4, 2, [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)]),
        ("uniform", 2, 5, [(0, 0), (1, 3), (2, 5)]),
        ("last", 3, 12, [(0, 0), (1, 10), (2, 11), (3, 12)]),
        ("last", 2, 2, [(0, 0), (1, 1), (2, 2)]),
        ([(0, 0), (2, 5), (4, 12)], 4, 12, [(0, 0), (2, 5), (4, 12)]),
        # Two layers may learn from the same layer of the teacher, and a later layer from an earlier one.
        ([(1, 12), (2, 12), (3, 0)], 3, 12, [(1, 12), (2, 12), (3, 0)]),
    ],
)
def test_a_layer_map_gives_pairs_of_layers(layers, student, teacher, expected):
    assert all_pairs(layers, student, teacher) == expected


@given(name=st.sampled_from(["uniform", "last"]), student=DEPTHS, extra=st.integers(-47, 48))
def test_a_named_map_pairs_every_layer_from_the_embeddings_to_the_last(name, student, extra):
    teacher = student + (max(extra, 1 - student) if name == "uniform" else abs(extra))
    pairs = all_pairs(name, student, teacher)
    theirs = [layer for _, layer in pairs]
    assert [own for own, _ in pairs] == list(range(student + 1))
    assert (theirs[0], theirs[-1]) == (0, teacher)
    assert theirs == sorted(theirs)
    assert student > teacher or len(set(theirs)) == student + 1
    assert all_pairs(pairs, student, teacher) == pairs


@pytest.mark.parametrize(
    ("rule", "teacher", "expected"), [(2, 6, [3, 6]), (3, 12, [4, 8, 12]), (2, 12, [6, 12]), (1, 6, [6]), ([6, 0, 3], 6, [6, 0, 3])]
)
def test_a_number_of_layers_is_spread_evenly_over_the_teacher(rule, teacher, expected):
    assert kept_layers(rule, teacher) == expected


@pytest.mark.parametrize(("rule", "named"), [(7, "7"), ([3, 7], "layer 7"), ([3, 6, 3], "twice")])
def test_layers_that_cannot_be_kept_are_refused(rule, named):
    with pytest.raises(CompactLMError, match=f"signals.layers .*{named}"):
        kept_layers(rule, 6)


@pytest.mark.parametrize(
    ("loss", "kept", "used", "unused"),
    [
        ("hidden", [3, 6], [(2, 3), (4, 6)], [(0, 0), (1, 2), (3, 5)]),
        # Relations of layer n come from the state n - 1.
        ("relations", [2, 5], [(2, 3), (4, 6)], [(1, 2), (3, 5)]),
        ("attention", [], [(1, 2), (2, 3), (3, 5), (4, 6)], []),
    ],
)
def test_a_loss_learns_from_the_pairs_of_a_named_map_that_have_signals(loss, kept, used, unused):
    assert find_pairs(f"distill.task.{loss}", "uniform", 4, 6, kept) == (used, unused)


@pytest.mark.parametrize(
    ("loss", "layers", "kept", "named"),
    [
        ("relations", "uniform", [3], "has no layer to learn from: .* 0, 1, 2"),
        ("hidden", "last", [3], "'last'.* 4 and the teacher 3; lower student.layers"),
        ("hidden", [(5, 1)], [1], "student's layer 5, but student.layers is 4"),
        ("hidden", [(1, 4)], [3], "teacher's layer 4, but the teacher's last is 3"),
        ("hidden", [(1, 2)], [3], "teacher's layer 2, which signals.layers lacks"),
        ("relations", [(1, 2)], [2], "teacher's layer 2, whose relations come from layer 1, which signals.layers lacks"),
        ("attention", [(0, 1)], [], "pairs 0, the embeddings"),
        ("hidden", [(1, 1), (1, 2)], [1, 2], "student's layer 1 twice"),
        ("hidden", [(1, 1), (2, 2), (1, 3)], [1, 2, 3], "student's layer 1 twice"),
        ("hidden", [(2, 1), (1, 2)], [1, 2], "student's layer 1 after 2"),
    ],
)
def test_wrong_pairs_are_refused(loss, layers, kept, named):
    with pytest.raises(CompactLMError, match=named) as caught:
        find_pairs(f"distill.task.{loss}", layers, 4, 3, kept)
    assert str(caught.value).startswith(f"distill.task.{loss}")


def test_pairs_can_be_checked_without_the_depth_of_the_teacher():
    check_pairs("distill.task.hidden", [(1, 40)], 4)
    with pytest.raises(CompactLMError, match="layer 40, which signals"):
        check_pairs("distill.task.hidden", [(1, 40)], 4, kept=[3])


def losses(**changes):
    found = {name: {"weight": 0.0, "heads": 4, "layers": "uniform"} for name in ("hidden", "embeddings", "relations", "attention")}
    return SimpleNamespace(**{name: SimpleNamespace(**(value | changes.get(name, {}))) for name, value in found.items()})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"embeddings": {"weight": 1.0}}, "embeddings .*signals.layers lacks 0"),
        ({"hidden": {"weight": 1.0}, "relations": {"weight": 1.0, "heads": 3}}, "relations.heads is 3, .* student's hidden size 16"),
        ({"relations": {"weight": 1.0, "heads": 16}}, "relations.heads is 16, .* teacher's hidden size 24"),
        (
            {"attention": {"weight": 1.0}},
            "attention .*student.attention_heads is 2 and the teacher has 3; set student.attention_heads to 3",
        ),
    ],
)
def test_losses_that_do_not_fit_the_models_are_refused(changes, named):
    with pytest.raises(CompactLMError, match=rf"^distill\.task\.{named}"):
        check_losses("distill.task", losses(**changes), Shape(2, 16, 2), Shape(2, 24, 3), [1, 2])


@pytest.mark.parametrize(
    ("rule", "teacher", "example"), [(2, None, "[0, 3, 6]"), (4, Shape(12, 24, 3), "[0, 3, 6, 9, 12]"), (8, None, "9, 11, 12]")]
)
def test_a_number_of_layers_never_includes_the_embeddings(rule, teacher, example):
    with pytest.raises(CompactLMError) as caught:
        check_losses("distill.task", losses(embeddings={"weight": 1.0}), Shape(2, 16, 2), teacher, rule)
    assert f"signals.layers is {rule}, which never includes the embeddings (0)" in str(caught.value)
    assert example in str(caught.value)


def test_losses_without_a_weight_are_not_checked():
    check_losses("distill.task", losses(hidden={"layers": [(9, 9)]}, relations={"heads": 5}), Shape(2, 16, 2), Shape(2, 24, 3), [1])


@pytest.mark.parametrize("phase", ["general", "task"])
@pytest.mark.parametrize(
    ("loss", "layers", "named"),
    [
        ({}, [3, 6], None),
        ({}, 2, None),
        ({"relations": {"weight": 1.0, "layers": "uniform"}}, [3, 5, 6], None),
        ({"relations": {"weight": 1.0}}, [3, 6], r"relations has no layer to learn from: .* \[3, 6\]"),
        ({"attention": {"weight": 1.0}}, [3, 6], r"attention .* is 4 and the teacher has 12"),
        ({}, [3, 7], "signals.layers names layer 7"),
        ({}, 8, "signals.layers is 8, but the teacher has only 6 layers"),
    ],
)
def test_the_losses_of_both_phases_are_checked_against_the_teacher(build_params, phase, loss, layers, named):
    params = build_params(signals={"source": "online", "layers": layers}, distill={phase: loss})
    teacher = BertConfig(num_hidden_layers=6, num_attention_heads=12, hidden_size=384)
    if named is None:
        check_both_phases(params, teacher)
        return
    with pytest.raises(CompactLMError, match=named) as caught:
        check_both_phases(params, teacher)
    assert f"distill.{phase}" in str(caught.value) or str(caught.value).startswith("signals.layers")
    assert "\n" not in str(caught.value)
