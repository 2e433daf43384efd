"""The stage teacher refuses losses that do not fit the teacher before it trains anything."""

import pytest
import yaml

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.params import parse_params
from compactlm.stages.teacher import main
from tests.fixtures.builders import make_row


def test_layers_that_the_teacher_does_not_have_are_refused_before_training(tmp_path, monkeypatch, tiny_bert, default_params):
    content = yaml.safe_load(default_params)
    content["teacher"] |= {
        "source": {"kind": "directory", "path": str(tiny_bert), "licence": "MIT"},
        "parameters": None,
        "maximum_length": 16,
    }
    content["tokenize"]["maximum_length"] = 16
    content["signals"]["layers"] = 8
    params = parse_params(content)
    monkeypatch.chdir(tmp_path)
    for name in ("train", "validation"):
        artifacts.write_documents(artifacts.SPLIT / name, [make_row(f"{name}1", "a good film", label="positive", task="sentiment")])
    with pytest.raises(CompactLMError, match=r"signals\.layers is 8, but the teacher has only 2 layers"):
        main(params)
    assert not artifacts.TEACHER.exists()
