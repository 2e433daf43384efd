import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.distillation.layers import layer_map, uniform_layers
from compactlm.errors import CompactLMError

LAYERS = st.integers(1, 48)


@pytest.mark.parametrize(
    ("kind", "student", "teacher", "expected"),
    [
        ("uniform", 4, 6, [(0, 0), (1, 2), (2, 3), (3, 5), (4, 6)]),
        ("uniform", 3, 12, [(0, 0), (1, 4), (2, 8), (3, 12)]),
        ("uniform", 4, 2, [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)]),
        ("last", 3, 12, [(0, 0), (1, 10), (2, 11), (3, 12)]),
        ("last", 2, 2, [(0, 0), (1, 1), (2, 2)]),
        ([[0, 0], [2, 5], [4, 12]], 4, 12, [(0, 0), (2, 5), (4, 12)]),
        # The teacher's side is free: two layers may learn from one, and from an earlier one.
        ([(1, 12), (2, 12), (3, 0)], 3, 12, [(1, 12), (2, 12), (3, 0)]),
    ],
)
def test_layer_maps(kind, student, teacher, expected):
    assert layer_map(kind, student, teacher) == expected


@pytest.mark.parametrize(
    ("student", "teacher", "expected"),
    [
        (4, 6, [0, 2, 3, 5, 6]),
        (6, 12, [0, 2, 4, 6, 8, 10, 12]),
        (3, 3, [0, 1, 2, 3]),
        (1, 6, [0, 6]),
        (2, 5, [0, 3, 5]),
        (4, 2, [0, 1, 1, 2, 2]),
    ],
)
def test_uniform_layers(student, teacher, expected):
    assert uniform_layers(student, teacher) == expected


@given(student=LAYERS, teacher=LAYERS)
def test_layers_go_from_the_embeddings_to_the_last_without_going_back(student, teacher):
    layers = uniform_layers(student, teacher)
    assert len(layers) == student + 1
    assert (layers[0], layers[-1]) == (0, teacher)
    assert layers == sorted(layers)
    if student <= teacher:
        assert len(set(layers)) == student + 1


@given(kind=st.sampled_from(["uniform", "last"]), student=LAYERS, extra=st.integers(0, 48))
def test_a_named_map_pairs_every_layer_with_one_of_its_own_and_ends_with_ends(kind, student, extra):
    own, theirs = zip(*layer_map(kind, student, student + extra), strict=True)
    assert own == tuple(range(student + 1))
    assert (theirs[0], theirs[-1]) == (0, student + extra)
    assert list(theirs) == sorted(set(theirs))


@given(student=LAYERS, teacher=LAYERS)
def test_the_uniform_map_is_that_of_uniform_layers(student, teacher):
    assert [theirs for _, theirs in layer_map("uniform", student, teacher)] == uniform_layers(student, teacher)


@given(kind=st.sampled_from(["uniform", "last"]), student=LAYERS, extra=st.integers(0, 48))
def test_the_pairs_of_a_named_map_are_a_map_themselves(kind, student, extra):
    pairs = layer_map(kind, student, student + extra)
    assert layer_map([list(pair) for pair in pairs], student, student + extra) == pairs


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("first", "the layer map 'first' is unknown; choose 'uniform', 'last', or a list"),
        ("last", "each of the student's 4 layers with one of the teacher's 3; give the student no more layers"),
        ([], "no pair; list at least one"),
        ([[1, 2, 3]], r"\[1, 2, 3\]; give each pair as"),
        ([[5, 1]], r"\[5, 1\], but the student has no layer 5; choose 0, its embeddings, to 4"),
        ([[-1, 1]], "the student has no layer -1"),
        ([[1, 4]], r"\[1, 4\], but the teacher has no layer 4; choose 0, its embeddings, to 3"),
        ([[1, -1]], "the teacher has no layer -1"),
        ([[1, 1], [1, 2]], "student's layer 1 twice; keep one"),
        ([[1, 1], [2, 2], [1, 3]], "student's layer 1 twice; keep one"),
        ([[2, 1], [1, 2]], "student's layer 1 after 2; list the pairs in the order"),
    ],
)
def test_a_wrong_map_is_an_error_that_says_how_to_mend_it(kind, message):
    with pytest.raises(CompactLMError, match=message) as caught:
        layer_map(kind, 4, 3)
    assert "\n" not in str(caught.value)
