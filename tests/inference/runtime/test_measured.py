import shutil

import pytest

from compactlm import CompactLM
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.measured import FILE, write_top1


@pytest.fixture
def exported(export_root, tmp_path):
    shutil.copytree(export_root / "mlm", tmp_path / "mlm")
    return tmp_path


def test_each_backend_has_its_own_figure_and_other_models_have_none(exported, on_torch):
    assert CompactLM(exported).measured_top1 is None
    write_top1(exported / "mlm", 0.25, 0.2, 100)
    assert [CompactLM(exported, backend=backend).measured_top1 for backend in ("onnx", "int8")] == [0.25, 0.2]
    assert on_torch.measured_top1 is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"masked_tokens_top1": {"onnx": 7}}', '{"masked_tokens_top1": {"onnx": null}}'])
def test_a_damaged_file_is_named(exported, content):
    (exported / "mlm" / FILE).write_text(content)
    with pytest.raises(CompactLMError, match=r"metrics\.json is damaged; restore it"):
        assert CompactLM(exported, backend="onnx").measured_top1


def test_fill_and_complete_say_what_they_are_worth(exported, cli):
    for command in (("fill", "the [MASK]"), ("complete", "the film", "-n", "2")):
        assert cli(*command, "--model", exported)[2] == ""
    write_top1(exported / "mlm", 0.213, 0.2, 100)
    for command in (("fill", "the [MASK]"), ("complete", "the film", "-n", "2")):
        status, output, errors = cli(*command, "--model", exported)
        assert (status, errors) == (0, "compactlm: on test text, the model's first choice is right for 21 % of masked tokens\n")
        status, output, errors = cli(*command, "--json", "--model", exported)
        assert '"measured_top1": 0.213' in output
        assert errors == ""
