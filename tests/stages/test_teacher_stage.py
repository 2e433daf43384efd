"""The stage teacher on a tiny teacher with and without a masked-language-model head."""

import pytest
import yaml
from transformers import AutoModel, BertForMaskedLM, BertModel

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.sentence_encoder.encoding import SentenceEncoder
from compactlm.bert.sentence_encoder.modules import is_sentence_encoder
from compactlm.bert.sentence_encoder.writing import write_modules
from compactlm.params import parse_params
from compactlm.stages import teacher
from tests.fixtures.builders import make_row
from tests.fixtures.encoders import make_dense


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

    def run(model, **modules):
        models.save(model, tiny_tokenizer, tmp_path / "source")
        if modules:
            write_modules(tmp_path / "source", **modules)
        content["teacher"]["source"] = {"kind": "directory", "path": str(tmp_path / "source"), "licence": "MIT"}
        teacher.main(parse_params(content))
        return artifacts.read_json(artifacts.METRICS / "teacher.json")

    return run


@pytest.mark.parametrize("form", [BertForMaskedLM, BertModel])
def test_the_base_is_the_pretrained_model_and_only_an_own_head_is_measured(train_teacher, tiny_bert, form):
    source = form.from_pretrained(tiny_bert, **({"add_pooling_layer": False} if form is BertModel else {}))
    metrics = train_teacher(source)
    assert not is_sentence_encoder(artifacts.TEACHER / artifacts.BASE)
    base = models.load_base(artifacts.TEACHER / artifacts.BASE)
    assert type(base) is form
    assert all((base.state_dict()[name] == tensor).all() for name, tensor in source.state_dict().items())
    assert ("mlm" in metrics) == (form is BertForMaskedLM)
    assert metrics["sentiment"]["accuracy"]["rows"] == 40
    assert AutoModel.from_pretrained(artifacts.TEACHER / artifacts.BASE).config.vocab_size == base.config.vocab_size


def test_a_sentence_encoder_keeps_its_modules_and_gives_its_vectors(train_teacher, tiny_bert, tiny_texts, tmp_path):
    body = BertModel.from_pretrained(tiny_bert, add_pooling_layer=False)
    train_teacher(body, pooling=("cls",), dense=(make_dense(32, 8),), maximum_length=12)
    kept, source = (SentenceEncoder.load(directory) for directory in (artifacts.TEACHER / artifacts.BASE, tmp_path / "source"))
    assert kept.maximum_length == 12
    found, expected = (encoder.encode(tiny_texts[:9], 100, "encode") for encoder in (kept, source))
    assert found.shape == (9, 8)
    assert (found == expected).all()
