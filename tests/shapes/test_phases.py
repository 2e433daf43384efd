"""The losses of both phases are checked against the teacher's shape."""

import pytest
import yaml
from transformers import BertConfig

from compactlm.errors import CompactLMError
from compactlm.params import parse_params
from compactlm.shapes.layers import check_both_phases


@pytest.mark.parametrize("phase", ["general", "task"])
@pytest.mark.parametrize(
    ("loss", "layers", "named"),
    [
        ({}, [3, 6], None),
        ({}, 2, None),
        ({"relations": {"weight": 1.0}}, [3, 6], r"relations has no layer to learn from: .* \[3, 6\]"),
        ({"relations": {"weight": 1.0, "layers": "uniform"}}, [3, 5, 6], None),
        ({"relations": {"weight": 1.0, "heads": 5}}, [3, 5, 6], r"relations\.heads is 5"),
        ({"attention": {"weight": 1.0}}, [3, 6], r"attention .* is 4 and the teacher has 12"),
        ({}, [3, 7], "signals.layers names layer 7"),
        ({}, 8, "signals.layers is 8, but the teacher has only 6 layers"),
    ],
)
def test_losses_that_the_teacher_cannot_teach_are_refused(default_params, phase, loss, layers, named):
    content = yaml.safe_load(default_params)
    content["signals"].update(source="online", layers=layers)
    for name, value in loss.items():
        content["distill"][phase][name] |= value
    content["student"] |= {"hidden_size": 120, "attention_heads": 4} if "heads" in loss.get("relations", {}) else {}
    teacher = BertConfig(num_hidden_layers=6, num_attention_heads=12, hidden_size=384)
    if named is None:
        check_both_phases(parse_params(content), teacher)
        return
    with pytest.raises(CompactLMError, match=named) as caught:
        check_both_phases(parse_params(content), teacher)
    assert f"distill.{phase}" in str(caught.value) or str(caught.value).startswith("signals.layers")
    assert "\n" not in str(caught.value)
