"""First weights from a teacher: how near they come to it, and what has no counterpart in it."""

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
# As wide as the teacher, but with a neuron more, so that its layers cannot be copied.
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


@pytest.fixture(scope="module")
def classifier():
    return build(BertForSequenceClassification, 0, **TEACHER).eval()


@torch.no_grad()
def nearness(student, teacher, components, layers, kept=IDS):
    """The mean cosine of the student's states and the projected states of the teacher, layer by layer, on fresh text."""
    ids, mask = text(30, seed=9)
    ids = FIRST + (ids - FIRST) % (len(kept) - FIRST)
    own = student.eval().bert(ids, attention_mask=mask, output_hidden_states=True).hidden_states
    theirs = teacher.bert(torch.tensor(kept)[ids], attention_mask=mask, output_hidden_states=True).hidden_states
    real = mask.bool()
    return [cosine_similarity(o[real], theirs[at][real] @ components.T, dim=-1).mean().item() for o, at in zip(own, layers, strict=True)]


@torch.no_grad()
def agreement(student, teacher):
    """The correlation of the logits on fresh text, and the share of equal first choices."""
    ids, mask = text(60, seed=9)
    own, theirs = (model.eval()(ids, attention_mask=mask).logits.flatten(0, -2) for model in (student, teacher))
    together = torch.stack([(logits - logits.mean(dim=0)).flatten() for logits in (own, theirs)])
    return torch.corrcoef(together)[0, 1].item(), (own.argmax(dim=-1) == theirs.argmax(dim=-1)).float().mean().item()


@pytest.mark.parametrize("form", [BertForMaskedLM, BertForSequenceClassification])
def test_a_student_of_the_teachers_shape_is_the_teacher(teacher, classifier, form):
    source = copy.deepcopy(teacher if form is BertForMaskedLM else classifier)
    with torch.no_grad():  # as trained BERTs have it, and no random one
        source.bert.embeddings.word_embeddings.weight[0] = 0.1
    student = build(form, **TEACHER)
    components = initialise(student, source, IDS, "inherited", *text(4, seed=1), [0, 1, 2, 3])
    assert torch.equal(components, torch.eye(32))
    ids, mask = text(30, seed=9)
    with torch.inference_mode():
        own, theirs = (model.eval()(ids, attention_mask=mask).logits for model in (student, source))
    assert (own - theirs).abs().max().item() == 0.0


@pytest.mark.parametrize("layers", [[0, 3], [0, 2, 3], [0, 1, 2, 3]])
def test_fewer_layers_of_the_teachers_shape_are_copies(teacher, layers):
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


@pytest.mark.parametrize(("form", "correlation", "equal"), [(BertForMaskedLM, 0.65, 0.4), (BertForSequenceClassification, 0.5, 0.6)])
def test_a_student_as_wide_as_the_teacher_reads_nearly_as_the_teacher_does(teacher, classifier, form, correlation, equal):
    source = teacher if form is BertForMaskedLM else classifier
    student, random = (build(form, **AS_WIDE) for _ in range(2))
    components = initialise(student, source, IDS, "inherited", *text(100, seed=1), [0, 1, 2, 3])
    torch.testing.assert_close(components @ components.T, torch.eye(32), atol=1e-5, rtol=0)
    # Not 1, since a layer normalisation in turned coordinates is another.
    found = nearness(student, source, components, [0, 1, 2, 3])
    assert all(one > least for one, least in zip(found, (0.98, 0.96, 0.94, 0.92), strict=True)), found
    assert agreement(student, source)[0] > correlation > 0.3 > agreement(random, source)[0]
    assert agreement(student, source)[1] > equal


def test_queries_keys_values_and_neurons_of_an_equal_width_are_the_teachers_exactly(teacher):
    student = build(BertForMaskedLM, **AS_WIDE)
    components = inherit(student.bert, teacher.bert, IDS, *text(100, seed=1), [0, 1, 2, 3])
    states = torch.randn(7, 32, generator=torch.Generator().manual_seed(2))
    for own, theirs in zip(student.bert.encoder.layer, teacher.bert.encoder.layer, strict=True):
        for name in ("query", "key", "value"):
            found, expected = getattr(own.attention.self, name)(states @ components.T), getattr(theirs.attention.self, name)(states)
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(own.intermediate(states @ components.T)[:, :64], theirs.intermediate(states), atol=1e-4, rtol=1e-4)


SHAPES = [
    ({}, [0, 2, 3]),
    ({"num_attention_heads": 8, "intermediate_size": 100}, [0, 2, 3]),
    ({"num_hidden_layers": 1, "hidden_size": 32}, [0, 3]),
    ({"num_hidden_layers": 4, "hidden_size": 24}, [0, 1, 2, 2, 3]),
    ({"num_hidden_layers": 8}, [0, 0, 1, 1, 2, 2, 2, 3, 3]),
]


@pytest.mark.parametrize(("shape", "layers"), SHAPES)
def test_a_student_of_another_shape_comes_nearer_than_a_random_one(teacher, shape, layers):
    student, random = (build(BertForMaskedLM, **{**SMALL, **shape}) for _ in range(2))
    components = initialise(student, teacher, IDS, "inherited", *text(100, seed=1), layers)
    found, by_chance = nearness(student, teacher, components, layers), nearness(random, teacher, components, layers)
    assert min(found) > 0.85, found
    assert max(by_chance) < 0.3, by_chance
    assert agreement(student, teacher)[0] > 0.2 > 0.1 > agreement(random, teacher)[0]


def test_a_student_with_fewer_tokens_stands_for_the_teachers_tokens(teacher):
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


def test_the_head_says_what_the_teachers_says():
    # With weights as small as BERT's the body is nearly exact, so what is lost is lost by the head: a tenth, were its GELU to bend.
    teacher = build(BertForMaskedLM, 0, **{**TEACHER, "initializer_range": 0.02}).eval()
    student, random = (build(BertForMaskedLM, seed, **{**AS_WIDE, "initializer_range": 0.02}).eval() for seed in (1, 2))
    initialise(student, teacher, IDS, "inherited", *text(100, seed=1), [0, 1, 2, 3])
    with_head = agreement(student, teacher)[0]
    student.cls.predictions.transform.load_state_dict(random.cls.predictions.transform.state_dict())
    assert with_head > 0.9 > 0.5 > agreement(student, teacher)[0]


@pytest.mark.parametrize("form", [BertForMaskedLM, BertForSequenceClassification])
def test_what_is_inherited_does_not_depend_on_dropout(form, teacher, classifier):
    source = teacher if form is BertForMaskedLM else classifier
    states = []
    for dropout in (0.0, 0.5):
        student = build(form, **SMALL, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout).train()
        initialise(student, source.train(), IDS, "inherited", *text(40, seed=1), [0, 2, 3])
        assert not source.training
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


@pytest.mark.parametrize("size", [16, 48])
def test_embeddings_alone_are_projected_and_all_else_is_random(teacher, size):
    shape = {**SMALL, "hidden_size": size}
    student, fresh = (build(BertForMaskedLM, **shape) for _ in range(2))
    components = initialise(student, teacher, IDS, "embeddings", *text(10, seed=1), [0, 2, 3])
    assert components.shape == (size, 32)
    expected = teacher.bert.embeddings.word_embeddings.weight @ components.T
    assert torch.allclose(student.bert.embeddings.word_embeddings.weight[1:], expected[1:], atol=1e-5)
    mine, random = student.state_dict(), fresh.state_dict()
    changed = {name for name in mine if not torch.equal(mine[name], random[name])}
    assert {name.split(".")[1] for name in changed if name.startswith("bert.")} == {"embeddings"}
    assert {name for name in changed if not name.startswith("bert.")} <= {"cls.predictions.decoder.weight"}


def test_a_random_student_stays_as_it_is(teacher):
    student, fresh = (build(BertForMaskedLM, **SMALL) for _ in range(2))
    components = initialise(student, teacher, IDS, "random", *text(10, seed=1), [0, 2, 3])
    assert all(torch.equal(tensor, fresh.state_dict()[name]) for name, tensor in student.state_dict().items())
    torch.testing.assert_close(components @ components.T, torch.eye(16), atol=1e-5, rtol=0)


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
@pytest.mark.parametrize("form", [BertForMaskedLM, BertForSequenceClassification])
def test_a_poor_sample_gives_poor_weights_but_no_nan(teacher, classifier, name, form):
    source = teacher if form is BertForMaskedLM else classifier
    student = build(form, **SMALL)
    initialise(student, source, IDS, "inherited", *SAMPLES[name], [0, 2, 3])
    assert all(tensor.isfinite().all() for tensor in student.state_dict().values())
    ids, mask = text(4, seed=3)
    assert student.eval()(ids, attention_mask=mask).logits.isfinite().all()


def test_a_feature_that_never_changes_gives_no_nan():
    teacher = build(BertForMaskedLM, 0, **TEACHER).eval()
    with torch.no_grad():
        for layer in teacher.bert.encoder.layer:
            layer.output.LayerNorm.weight[:] = 0  # all states of a layer are its bias
            layer.intermediate.dense.weight[:8] = 0
    student = build(BertForMaskedLM, **SMALL)
    initialise(student, teacher, IDS, "inherited", *text(20, seed=1), [0, 2, 3])
    assert all(tensor.isfinite().all() for tensor in student.state_dict().values())
    assert max(tensor.abs().max() for tensor in student.state_dict().values()) < 100


def test_directions_are_of_all_layers_alike():
    basis = torch.eye(6)
    torch.manual_seed(0)
    small, large = torch.randn(300, 2) @ basis[:2], 1000 * torch.randn(50, 1) @ basis[2:3]
    # At unit length the few large states count no more than as many small ones.
    for size, kept in ((2, [1.0, 1.0, 0.0]), (3, [1.0, 1.0, 1.0])):
        found = directions([small, large], size)
        torch.testing.assert_close(found @ found.T, torch.eye(size), atol=1e-5, rtol=0)
        torch.testing.assert_close(found[:, :3].square().sum(dim=0), torch.tensor(kept), atol=1e-5, rtol=0)
    many = torch.randn(90_001, 4) * torch.tensor([4.0, 3.0, 2.0, 1.0])
    torch.testing.assert_close(directions([many], 2), directions([many[::2]], 2), atol=1e-5, rtol=0)


def test_padding_does_not_matter(teacher):
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
    teacher.bert(ids, attention_mask=mask, output_hidden_states=True)  # which leaves hooks of transformers itself
    before = hooks()
    initialise(build(BertForMaskedLM, **SMALL), teacher, IDS, "inherited", ids, mask, [0, 2, 3])
    assert hooks() == before
