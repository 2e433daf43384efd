"""The stage teacher on a tiny teacher with and without a masked-language-model head."""

import pytest
import yaml
from transformers import AutoModel, BertForMaskedLM, BertModel

from compactlm import artifacts
from compactlm.bert import models
from compactlm.params import parse_params
from compactlm.stages import teacher
from tests.fixtures.builders import make_row


@pytest.fixture
def train_teacher(tmp_path, monkeypatch, default_params, tiny_texts, tiny_tokenizer):
    """Return a function that runs the stage on a teacher and returns its metrics."""
    monkeypatch.chdir(tmp_path)
    rows = [make_row(at, text, "movie_reviews", ("negative", "positive")[at % 2]) for at, text in enumerate(tiny_texts)]
    for name, part in (("train", rows[:40]), ("validation", rows[40:80])):
        artifacts.write_documents(artifacts.SPLIT / name, part)
    content = yaml.safe_load(default_params)
    content["teacher"] |= {"parameters": None, "maximum_length": 16, "validation_words": 40}
    content["teacher"]["fine_tuning"]["optimisation"]["epochs"] = 1
    content["tokenize"]["maximum_length"] = 16
    content["energy"]["track"] = False

    def run(model):
        models.save(model, tiny_tokenizer, tmp_path / "source")
        content["teacher"]["source"] = {"kind": "directory", "path": str(tmp_path / "source"), "licence": "MIT"}
        teacher.main(parse_params(content))
        return artifacts.read_json(artifacts.METRICS / "teacher.json")

    return run


@pytest.mark.parametrize("form", [BertForMaskedLM, BertModel])
def test_the_base_is_the_pretrained_model_and_only_an_own_head_is_measured(train_teacher, tiny_bert, form):
    source = form.from_pretrained(tiny_bert, **({"add_pooling_layer": False} if form is BertModel else {}))
    metrics = train_teacher(source)
    base = models.load_base(artifacts.TEACHER / artifacts.BASE)
    assert type(base) is form
    assert all((base.state_dict()[name] == tensor).all() for name, tensor in source.state_dict().items())
    assert ("mlm" in metrics) == (form is BertForMaskedLM)
    assert metrics["sentiment"]["accuracy"]["rows"] == 40
    assert AutoModel.from_pretrained(artifacts.TEACHER / artifacts.BASE).config.vocab_size == base.config.vocab_size
