"""The first weights of a student: how close they are to the teacher, and which weights stay random."""

import copy

import pytest
import torch
from torch.nn.functional import cosine_similarity
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.errors import CompactLMError
from compactlm.student.copying import can_be_copied
from compactlm.student.inheriting import inherit
from compactlm.student.initialising import initialise
from compactlm.student.teacher_trace import directions
from tests.fixtures.builders import make_config

VOCABULARY, FIRST = 200, 5  # ids below FIRST never occur in the sample
TEACHER = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64, "initializer_range": 0.2}
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
IDS = list(range(VOCABULARY))
# As wide as the teacher, with one more neuron, so that its layers cannot be copied.
AS_WIDE = {**TEACHER, "intermediate_size": 65}


def config(**shape):
    return make_config(**{"vocab_size": VOCABULARY, "max_position_embeddings": 24, **shape})


def build(form, seed=1, **shape):
    torch.manual_seed(seed)
    return form(config(**shape))


def text(rows, seed, tokens=20):
    """Rows of two lengths and their mask."""
    ids = torch.randint(FIRST, VOCABULARY, (rows, tokens), generator=torch.Generator().manual_seed(seed))
    mask = torch.ones_like(ids)
    mask[::2, tokens - 6 :] = 0
    return ids, mask


@pytest.fixture(scope="module")
def teacher():
    model = build(BertForMaskedLM, 0, **TEACHER).eval()
    torch.nn.init.normal_(model.cls.predictions.bias)
    return model


@pytest.fixture(scope="module", params=[BertForMaskedLM, BertForSequenceClassification])
def either(request, teacher):
    """The masked language model and a classifier in turn."""
    return teacher if request.param is BertForMaskedLM else build(BertForSequenceClassification, 0, **TEACHER).eval()


@torch.no_grad()
def nearness(student, teacher, components, layers, kept=IDS):
    """Return the mean cosine of the student's states and the teacher's projected states, layer by layer, on new text."""
    ids, mask = text(30, seed=9)
    ids = FIRST + (ids - FIRST) % (len(kept) - FIRST)
    own = student.eval().bert(ids, attention_mask=mask, output_hidden_states=True).hidden_states
    theirs = teacher.bert(torch.tensor(kept)[ids], attention_mask=mask, output_hidden_states=True).hidden_states
    real = mask.bool()
    return [cosine_similarity(o[real], theirs[at][real] @ components.T, dim=-1).mean().item() for o, at in zip(own, layers, strict=True)]


@torch.no_grad()
def agreement(student, teacher):
    """Return the correlation of the logits on new text, and the share of equal predictions."""
    ids, mask = text(60, seed=9)
    own, theirs = (model.eval()(ids, attention_mask=mask).logits.flatten(0, -2) for model in (student, teacher))
    together = torch.stack([(logits - logits.mean(dim=0)).flatten() for logits in (own, theirs)])
    return torch.corrcoef(together)[0, 1].item(), (own.argmax(dim=-1) == theirs.argmax(dim=-1)).float().mean().item()


def test_a_student_of_the_teachers_shape_equals_the_teacher(either):
    source = copy.deepcopy(either)
    with torch.no_grad():  # trained BERTs have a padding embedding, random ones have zeros
        source.bert.embeddings.word_embeddings.weight[0] = 0.1
    student = build(type(source), **TEACHER)
    components = initialise(student, source, IDS, "inherited", *text(4, seed=1), [0, 1, 2, 3])
    assert torch.equal(components, torch.eye(32))
    ids, mask = text(30, seed=9)
    with torch.inference_mode():
        own, theirs = (model.eval()(ids, attention_mask=mask).logits for model in (student, source))
    assert (own - theirs).abs().max().item() == 0.0


@pytest.mark.parametrize("layers", [[0, 3], [0, 2, 3], [0, 1, 2, 3]])
def test_layers_of_the_teachers_shape_are_copied(teacher, layers):
    kept = [0, 1, 2, 3, 4, *range(11, VOCABULARY, 3)]
    shape = {**TEACHER, "num_hidden_layers": len(layers) - 1, "vocab_size": len(kept), "max_position_embeddings": 40}
    student, fresh = (build(BertForMaskedLM, **shape) for _ in range(2))
    initialise(student, teacher, kept, "inherited", *text(4, seed=1), layers)
    for layer, source in zip(student.bert.encoder.layer, layers[1:], strict=True):
        expected = teacher.bert.encoder.layer[source - 1].state_dict()
        assert all(torch.equal(tensor, expected[name]) for name, tensor in layer.state_dict().items())
    own, theirs = student.bert.embeddings, teacher.bert.embeddings
    assert torch.equal(own.word_embeddings.weight, theirs.word_embeddings.weight[kept])
    assert torch.equal(own.position_embeddings.weight[:24], theirs.position_embeddings.weight)
    assert torch.equal(own.position_embeddings.weight[24:], fresh.bert.embeddings.position_embeddings.weight[24:])
    assert torch.equal(student.cls.predictions.decoder.bias, teacher.cls.predictions.decoder.bias[kept])
    assert student.cls.predictions.decoder.weight is own.word_embeddings.weight
    if len(layers) == 4:
        ids, mask = text(30, seed=9)
        ids = ids % len(kept)
        with torch.inference_mode():
            found = student.eval()(ids, attention_mask=mask).logits
            expected = teacher(torch.tensor(kept)[ids], attention_mask=mask).logits[:, :, kept]
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    with torch.no_grad():
        own.word_embeddings.weight.zero_()
    assert theirs.word_embeddings.weight.any()


@pytest.mark.parametrize("types", [1, 4])
@pytest.mark.parametrize(("kind", "shape"), [("inherited", TEACHER), ("inherited", SMALL), ("embeddings", SMALL)])
def test_a_teacher_may_have_another_number_of_token_types(kind, shape, types):
    teacher = build(BertForMaskedLM, 0, **TEACHER, type_vocab_size=types).eval()
    student = build(BertForMaskedLM, **shape)
    layers = [0, 1, 2, 3] if shape is TEACHER else [0, 2, 3]
    components = initialise(student, teacher, IDS, kind, *text(100, seed=1), layers)
    expected = teacher.bert.embeddings.token_type_embeddings.weight[:2] @ components.T
    torch.testing.assert_close(student.bert.embeddings.token_type_embeddings.weight[: len(expected)], expected)


def test_layers_with_another_activation_are_fitted_and_not_copied():
    teacher = build(BertForMaskedLM, 0, **TEACHER, hidden_act="relu").eval()
    student = build(BertForMaskedLM, **TEACHER)
    assert not can_be_copied(student.bert, teacher.bert)
    initialise(student, teacher, IDS, "inherited", *text(100, seed=1), [0, 1, 2, 3])
    assert agreement(student, teacher)[0] > 0.7


def test_a_head_that_is_not_tied_is_fitted_and_the_body_copied():
    teacher = build(BertForMaskedLM, 0, **TEACHER, tie_word_embeddings=False).eval()
    student, random = (build(BertForMaskedLM, seed, **TEACHER) for seed in (1, 2))
    initialise(student, teacher, IDS, "inherited", *text(100, seed=1), [0, 1, 2, 3])
    ids, mask = text(30, seed=9)
    with torch.inference_mode():
        own, theirs = (model.bert(ids, attention_mask=mask).last_hidden_state for model in (student, teacher))
    assert torch.equal(own, theirs)
    assert agreement(student, teacher)[0] > 0.2 > 0.1 > agreement(random, teacher)[0]


def test_a_student_as_wide_as_the_teacher_is_close_to_it(either):
    correlation, equal = (0.65, 0.4) if isinstance(either, BertForMaskedLM) else (0.5, 0.6)
    student, random = (build(type(either), **AS_WIDE) for _ in range(2))
    components = initialise(student, either, IDS, "inherited", *text(100, seed=1), [0, 1, 2, 3])
    torch.testing.assert_close(components @ components.T, torch.eye(32), atol=1e-5, rtol=0)
    # Less than 1 because layer normalisation depends on the coordinates, which the components rotate.
    found = nearness(student, either, components, [0, 1, 2, 3])
    assert all(one > least for one, least in zip(found, (0.98, 0.96, 0.94, 0.92), strict=True)), found
    assert agreement(student, either)[0] > correlation > 0.3 > agreement(random, either)[0]
    assert agreement(student, either)[1] > equal


SHAPES = [
    ({}, [0, 2, 3]),
    ({"num_attention_heads": 8, "intermediate_size": 100}, [0, 2, 3]),
    ({"num_hidden_layers": 1, "hidden_size": 32}, [0, 3]),
    ({"num_hidden_layers": 4, "hidden_size": 24}, [0, 1, 2, 2, 3]),
    ({"num_hidden_layers": 8}, [0, 0, 1, 1, 2, 2, 2, 3, 3]),
]


@pytest.mark.parametrize(("shape", "layers"), SHAPES)
def test_a_student_of_another_shape_is_closer_than_a_random_one(teacher, shape, layers):
    student, random = (build(BertForMaskedLM, **{**SMALL, **shape}) for _ in range(2))
    components = initialise(student, teacher, IDS, "inherited", *text(100, seed=1), layers)
    found, by_chance = nearness(student, teacher, components, layers), nearness(random, teacher, components, layers)
    assert min(found) > 0.85, found
    assert max(by_chance) < 0.3, by_chance
    assert agreement(student, teacher)[0] > 0.2 > 0.1 > agreement(random, teacher)[0]


def test_a_student_with_fewer_tokens_inherits_these_tokens(teacher):
    kept = [0, 1, 2, 3, 4, *range(11, VOCABULARY, 3)]
    student, fresh = (build(BertForMaskedLM, **AS_WIDE, vocab_size=len(kept), max_position_embeddings=40) for _ in range(2))
    ids, mask = text(150, seed=1)
    ids = FIRST + (ids - FIRST) % (len(kept) - FIRST)
    components = initialise(student, teacher, kept, "inherited", ids, mask, [0, 1, 2, 3])
    assert min(nearness(student, teacher, components, [0, 1, 2, 3], kept)) > 0.93
    own, theirs = student.bert.embeddings, teacher.bert.embeddings
    assert torch.allclose(own.word_embeddings.weight[1:], theirs.word_embeddings.weight[kept][1:] @ components.T, atol=1e-5)
    assert not own.word_embeddings.weight[0].any()
    assert torch.equal(own.position_embeddings.weight[24:], fresh.bert.embeddings.position_embeddings.weight[24:])
    assert torch.allclose(own.position_embeddings.weight[:24], theirs.position_embeddings.weight @ components.T, atol=1e-5)
    assert torch.equal(student.cls.predictions.decoder.bias, teacher.cls.predictions.decoder.bias[kept])
    assert student.cls.predictions.decoder.weight is own.word_embeddings.weight


def test_the_head_is_fitted_to_the_teachers():
    # With weights as small as BERT's the body is almost exact, so this measures the head.
    teacher = build(BertForMaskedLM, 0, **{**TEACHER, "initializer_range": 0.02}).eval()
    student, random = (build(BertForMaskedLM, seed, **{**AS_WIDE, "initializer_range": 0.02}).eval() for seed in (1, 2))
    initialise(student, teacher, IDS, "inherited", *text(100, seed=1), [0, 1, 2, 3])
    with_head = agreement(student, teacher)[0]
    student.cls.predictions.transform.load_state_dict(random.cls.predictions.transform.state_dict())
    assert with_head > 0.9 > 0.5 > agreement(student, teacher)[0]


def test_what_is_inherited_does_not_depend_on_dropout(either):
    states = []
    for dropout in (0.0, 0.5):
        student = build(type(either), **SMALL, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout).train()
        initialise(student, either.train(), IDS, "inherited", *text(40, seed=1), [0, 2, 3])
        assert not either.training
        states.append(student.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("kind", ["inherited", "embeddings", "random"])
def test_the_same_seed_gives_the_same_student(teacher, kind):
    # More heads of another width and more neurons than the teacher has: some weights stay random.
    shape = {**SMALL, "num_attention_heads": 8, "intermediate_size": 100}
    states = []
    for seed in (1, 1, 2):
        student = build(BertForMaskedLM, seed, **shape)
        components = initialise(student, teacher, IDS, kind, *text(40, seed=1), [0, 2, 3])
        states.append({**student.state_dict(), "components": components})
    one, again, other = states
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert torch.equal(one["components"], other["components"])
    layer = "bert.encoder.layer.1.intermediate.dense.weight"
    assert not torch.equal(one[layer], other[layer])


def test_heads_and_neurons_that_the_teacher_lacks_stay_random(teacher):
    shape = {**SMALL, "num_attention_heads": 8, "intermediate_size": 100}
    student, fresh = (build(BertForMaskedLM, **shape).bert for _ in range(2))
    inherit(student, teacher.bert, IDS, *text(40, seed=1), [0, 2, 3])
    for own, random in zip(student.encoder.layer, fresh.encoder.layer, strict=True):
        # Each of the 8 heads has 2 rows; the teacher has 4 heads and 64 neurons.
        query, expected = own.attention.self.query.weight, random.attention.self.query.weight
        assert torch.equal(query[8:], expected[8:])
        assert not (query[:8] == expected[:8]).any()
        assert torch.equal(own.intermediate.dense.weight[64:], random.intermediate.dense.weight[64:])
        assert not (own.intermediate.dense.weight[:64] == random.intermediate.dense.weight[:64]).any()


@pytest.mark.parametrize(("kind", "size"), [("embeddings", 16), ("embeddings", 48), ("random", 16)])
def test_weights_other_than_embeddings_stay_random(teacher, kind, size):
    student, fresh = (build(BertForMaskedLM, **{**SMALL, "hidden_size": size}) for _ in range(2))
    components = initialise(student, teacher, IDS, kind, *text(10, seed=1), [0, 2, 3])
    assert components.shape == (size, 32)
    torch.testing.assert_close(components[:32] @ components[:32].T, torch.eye(min(size, 32)), atol=1e-5, rtol=0)
    own, random = student.state_dict(), fresh.state_dict()
    changed = {name for name in own if not torch.equal(own[name], random[name])}
    assert {name.split(".")[1] for name in changed if name.startswith("bert.")} == ({"embeddings"} if kind == "embeddings" else set())
    assert {name for name in changed if not name.startswith("bert.")} <= {"cls.predictions.decoder.weight"}
    if kind == "embeddings":
        expected = teacher.bert.embeddings.word_embeddings.weight @ components.T
        assert torch.allclose(student.bert.embeddings.word_embeddings.weight[1:], expected[1:], atol=1e-5)


def test_a_wider_student_cannot_inherit(teacher):
    student = build(BertForMaskedLM, **{**SMALL, "hidden_size": 48})
    with pytest.raises(CompactLMError, match=r"hidden_size 48 exceeds the teacher's 32") as caught:
        initialise(student, teacher, IDS, "inherited", *text(10, seed=1), [0, 2, 3])
    assert "\n" not in str(caught.value)


SAMPLES = {
    "one sequence": text(1, seed=1),
    "one token again and again": (torch.full((4, 6), 17), torch.ones(4, 6, dtype=torch.int64)),
    "equal sequences of one token": (torch.full((5, 1), 17), torch.ones(5, 1, dtype=torch.int64)),
    "a single token": (torch.full((1, 1), 17), torch.ones(1, 1, dtype=torch.int64)),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_poor_sample_gives_finite_weights(either, name):
    student = build(type(either), **SMALL)
    initialise(student, either, IDS, "inherited", *SAMPLES[name], [0, 2, 3])
    assert all(tensor.isfinite().all() for tensor in student.state_dict().values())
    ids, mask = text(4, seed=3)
    assert student.eval()(ids, attention_mask=mask).logits.isfinite().all()


def test_constant_features_give_finite_weights():
    teacher = build(BertForMaskedLM, 0, **TEACHER).eval()
    with torch.no_grad():
        for layer in teacher.bert.encoder.layer:
            layer.output.LayerNorm.weight[:] = 0  # all states of a layer are its bias
            layer.intermediate.dense.weight[:8] = 0
    student = build(BertForMaskedLM, **SMALL)
    initialise(student, teacher, IDS, "inherited", *text(20, seed=1), [0, 2, 3])
    assert all(tensor.isfinite().all() for tensor in student.state_dict().values())
    assert max(tensor.abs().max() for tensor in student.state_dict().values()) < 100


def test_all_layers_have_equal_influence_on_the_directions():
    basis = torch.eye(6)
    torch.manual_seed(0)
    small, large = torch.randn(300, 2) @ basis[:2], 1000 * torch.randn(50, 1) @ basis[2:3]
    # States are scaled to unit length, so that large ones do not dominate.
    for size, kept in ((2, [1.0, 1.0, 0.0]), (3, [1.0, 1.0, 1.0])):
        found = directions([small, large], size)
        torch.testing.assert_close(found @ found.T, torch.eye(size), atol=1e-5, rtol=0)
        torch.testing.assert_close(found[:, :3].square().sum(dim=0), torch.tensor(kept), atol=1e-5, rtol=0)
    many = torch.randn(90_001, 4) * torch.tensor([4.0, 3.0, 2.0, 1.0])
    torch.testing.assert_close(directions([many], 2), directions([many[::2]], 2), atol=1e-5, rtol=0)


def test_padding_has_no_effect(teacher):
    ids, mask = text(40, seed=1)
    more = [torch.cat([part, torch.full((40, 4), fill)], dim=1) for part, fill in ((ids, 17), (mask, 0))]
    one, other = (build(BertForMaskedLM, **SMALL) for _ in range(2))
    initialise(one, teacher, IDS, "inherited", ids, mask, [0, 2, 3])
    initialise(other, teacher, IDS, "inherited", *more, [0, 2, 3])
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], tensor, atol=1e-3, rtol=1e-3)


def test_no_hook_is_left_on_the_teacher(teacher):
    def hooks():
        return [len(module._forward_hooks) for module in teacher.modules()]

    ids, mask = text(2, seed=1)
    teacher.bert(ids, attention_mask=mask, output_hidden_states=True)  # transformers leaves hooks of its own
    before = hooks()
    initialise(build(BertForMaskedLM, **SMALL), teacher, IDS, "inherited", ids, mask, [0, 2, 3])
    assert hooks() == before
