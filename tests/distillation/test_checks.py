"""Losses that this teacher cannot teach are refused before anything is computed."""

import copy

import pytest
import yaml
from transformers import BertConfig

from compactlm.distillation.inputs import check_losses
from compactlm.errors import CompactLMError
from compactlm.params import parse_params

PHASES = ["general", "task"]


@pytest.fixture
def check(default_params):
    """A function that checks the default, with changes to a phase and to other sections, against a teacher."""

    def run(phase="task", losses=(), layers=(3, 6), student=None, teacher_layers=6, heads=12):
        content = copy.deepcopy(yaml.safe_load(default_params))
        content["signals"].update(source="online", layers=list(layers))
        content["student"] |= student or {}
        for other in set(PHASES) - {phase}:
            content["distill"][other]["hidden"]["weight"] = 0.0
        for name, value in dict(losses).items():
            content["distill"][phase][name] |= value
        teacher = BertConfig(num_hidden_layers=teacher_layers, num_attention_heads=heads, hidden_size=384)
        check_losses(parse_params(content), teacher)

    return run


def refused(check, sentence, **changes):
    with pytest.raises(CompactLMError, match=sentence) as caught:
        check(**changes)
    assert "\n" not in str(caught.value)


def test_the_default_is_what_its_teacher_can_teach(check):
    check()


@pytest.mark.parametrize("phase", PHASES)
def test_relations_without_a_layer_that_enters_them_are_refused(check, phase):
    losses = {"relations": {"weight": 1.0}}
    refused(
        check,
        rf"distill\.{phase}\.relations has no layer to learn from: signals\.layers holds \[3, 6\], .*\(uniform\) ask for 1, 2, 4, 5; add",
        phase=phase,
        losses=losses,
    )
    check(phase=phase, losses=losses, layers=[3, 5, 6])


@pytest.mark.parametrize("phase", PHASES)
def test_hidden_states_of_layers_without_signals_are_refused(check, phase):
    refused(check, rf"distill\.{phase}\.hidden has no layer to learn from: .* ask for 0, 2, 3, 5, 6; ", phase=phase, layers=[1])


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("loss", ["hidden", "relations", "attention"])
def test_last_needs_as_many_layers_as_the_student_has(check, phase, loss):
    losses = {loss: {"weight": 1.0, "layers": "last"}}
    student = {"layers": 7, "attention_heads": 4, "hidden_size": 64}
    refused(
        check,
        rf"distill\.{phase}\.{loss}\.layers is 'last'.* student has 7 and the teacher 6;",
        phase=phase,
        losses=losses,
        student=student,
    )


@pytest.mark.parametrize("phase", PHASES)
def test_attention_needs_equal_heads(check, phase):
    losses = {"attention": {"weight": 1.0}}
    refused(check, rf"distill\.{phase}\.attention pairs the heads, .* is 4 and the teacher has 12; set", phase=phase, losses=losses)
    check(phase=phase, losses=losses, heads=4)


@pytest.mark.parametrize("phase", PHASES)
def test_relation_heads_divide_the_teachers_hidden_size(check, phase):
    losses = {"relations": {"weight": 1.0, "heads": 128}}
    check(phase=phase, losses=losses, layers=[5])
    losses = {"relations": {"weight": 1.0, "heads": 5}}
    student = {"hidden_size": 120, "attention_heads": 4}
    refused(check, rf"distill\.{phase}\.relations\.heads is 5", phase=phase, losses=losses, layers=[5], student=student)


def test_layers_that_the_teacher_lacks_are_refused(check):
    refused(check, "signals.layers names layer 7, but the teacher's last is 6; lower", layers=[3, 7])
    losses = {"attention": {"weight": 1.0, "layers": [[1, 7]]}}
    refused(check, r"distill\.task\.attention\.layers .*teacher's layer 7, but the teacher's last is 6", losses=losses, heads=4)
