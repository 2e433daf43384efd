"""Stages check sizes and layers before they start their work."""

from types import SimpleNamespace

import pytest
import yaml

from compactlm import artifacts
from compactlm.distillation.examples import TaskRows
from compactlm.errors import CompactLMError
from compactlm.params import parse_params
from compactlm.stages import signals, teacher, tokenize
from tests.fixtures.builders import make_row


@pytest.fixture
def inputs(build_params):
    """Return a factory of inputs with 30 rows of 10 tokens for each phase and a vocabulary of 50 tokens."""

    def build(top_k, gigabytes):
        soft = {"general": {"soft_weight": 1.0}}
        params = build_params(signals={"gigabytes": gigabytes, "general": {"top_k": top_k}}, distill=soft)
        rows = TaskRows([f"row{at}" for at in range(30)], [[1] * 10] * 30, [None] * 30, [1.0] * 30)
        return SimpleNamespace(params=params, layers=[3, 6], id_map=range(50), general=lambda: rows, task=lambda _: rows)

    return build


def test_a_top_k_beyond_the_vocabulary_has_no_effect_on_the_size(inputs):
    sizes = [signals._check_size(inputs(top_k, 1.0), None, 384) for top_k in (5, 50, 10**9)]
    assert sizes[0] < sizes[1] == sizes[2]


def test_the_budget_includes_the_files_beside_the_tensors(inputs):
    size = signals._check_size(inputs(5, 1.0), None, 384)
    with pytest.raises(CompactLMError, match=r"0\.00\d+ GB, but signals\.gigabytes allows"):
        signals._check_size(inputs(5, size * 1.001), None, 384)
    assert signals._check_size(inputs(5, size * 1.2), None, 384) == size


def test_the_budget_includes_sentence_vectors_and_no_states_that_no_loss_needs(inputs):
    found = inputs(5, 1.0)
    texts = SimpleNamespace(ids=[f"text{at}" for at in range(1000)])
    rows = SimpleNamespace(ids=[], lengths=[])
    embedding = SimpleNamespace(material=SimpleNamespace(texts=texts), token_rows=rows, width=128)
    with_vectors, without = signals._check_size(found, embedding, 384), signals._check_size(found, None, 384)
    assert with_vectors - without == pytest.approx(1000 * 384 * 2 / 1e9)
    found.params.distill.general.__dict__["soft_weight"] = 0.0
    assert not found.params.distill.general.hidden.weight
    assert signals._check_size(found, None, 384) < without


def test_soft_targets_of_a_teacher_without_a_head_are_refused_before_training(
    tmp_path, monkeypatch, tiny_bert, tiny_tokenizer, default_params
):
    from transformers import BertModel

    from compactlm.bert import models

    models.save(BertModel.from_pretrained(tiny_bert, add_pooling_layer=False), tiny_tokenizer, tmp_path / "bare")
    content = yaml.safe_load(default_params)
    source = {"kind": "directory", "path": str(tmp_path / "bare"), "licence": "MIT"}
    content["teacher"] |= {"source": source, "parameters": None, "maximum_length": 16}
    content["tokenize"]["maximum_length"] = 16
    content["distill"]["general"]["soft_weight"] = 0.5
    monkeypatch.chdir(tmp_path)
    for name in ("train", "validation"):
        artifacts.write_documents(artifacts.SPLIT / name, [make_row(f"{name}1", "a good film", label="positive", task="sentiment")])
    with pytest.raises(CompactLMError, match=r"distill.general.soft_weight is 0.5, but the teacher has no masked-language-model head"):
        teacher.main(parse_params(content))


def test_a_vocabulary_larger_than_the_teachers_is_refused(build_params):
    def check(size):
        tokenize._check_size(build_params(student={"vocabulary_size": size, "budget": 1.0}), 30_522)

    for size in (30_522, 8_000, "fit"):
        check(size)
    with pytest.raises(CompactLMError, match=r"student\.vocabulary_size is 40,000, .* 30,522 tokens"):
        check(40_000)


def test_layers_that_the_teacher_lacks_are_refused_before_training(tmp_path, monkeypatch, tiny_bert, default_params):
    content = yaml.safe_load(default_params)
    source = {"kind": "directory", "path": str(tiny_bert), "licence": "MIT"}
    content["teacher"] |= {"source": source, "parameters": None, "maximum_length": 16}
    content["tokenize"]["maximum_length"] = 16
    content["signals"]["layers"] = 8
    monkeypatch.chdir(tmp_path)
    for name in ("train", "validation"):
        artifacts.write_documents(artifacts.SPLIT / name, [make_row(f"{name}1", "a good film", label="positive", task="sentiment")])
    with pytest.raises(CompactLMError, match=r"signals\.layers is 8, but the teacher has only 2 layers"):
        teacher.main(parse_params(content))
    assert not artifacts.TEACHER.exists()
