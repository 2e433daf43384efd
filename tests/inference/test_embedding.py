import json
import shutil

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertModel

from compactlm import CompactLM
from compactlm.bert.arrays import unit
from compactlm.bert.sentence_encoder.encoding import SentenceEncoder
from compactlm.errors import CompactLMError
from compactlm.inference.embedding import SentenceEmbedding, fit_projection
from compactlm.inference.runtime.projection import LAST
from tests.fixtures.encoders import make_dense, make_encoder

TEXTS = ["the film was good", "it", "a very slow story, loved!"]


def test_an_embedding_is_the_mean_of_the_tokens(lm, tiny_bert):
    found = lm.embed(TEXTS)
    assert found.dtype == np.float32
    model, tokenizer = BertModel.from_pretrained(tiny_bert).eval(), AutoTokenizer.from_pretrained(tiny_bert)
    with torch.inference_mode():
        means = [model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0, 1:-1].mean(dim=0) for text in TEXTS]
    np.testing.assert_allclose(found, unit(torch.stack(means).numpy()), atol=1e-4)


def test_a_long_text_is_embedded_in_parts(lm):
    parts, _ = SentenceEmbedding(lm.embedding.model, None).means(["good " * 62, "bad " * 31], [LAST])
    (long,) = lm.embed(["good " * 62 + "bad " * 31])
    np.testing.assert_allclose(long, unit((2 * parts[0] + parts[1]) / 3), atol=1e-4)


@pytest.mark.parametrize("text", ["", "  \n", "\0"])
def test_an_empty_text_has_the_zero_vector(lm, text):
    assert not lm.embed([text]).any()
    assert lm.compare(text, "good").similarity == 0
    assert len(lm.embed([])) == 0


def test_comparison(lm):
    assert lm.compare("good", "good").similarity == pytest.approx(1, abs=1e-5)
    found = lm.compare("the film was good", "people")
    assert -1 <= found.similarity < 1
    assert found.distance == pytest.approx(np.sqrt(2 - 2 * found.similarity), abs=1e-4)


def test_an_export_without_an_embedding_is_refused(export_root, tmp_path):
    shutil.copytree(export_root / "mlm", tmp_path / "mlm")
    with pytest.raises(CompactLMError, match="has no model 'embedding'"):
        CompactLM(tmp_path, backend="onnx").embed(["good"])


def test_a_fitted_projection_lowers_the_mean_similarity(on_torch, tiny_texts):
    texts = [*tiny_texts, ""]
    projection = fit_projection(on_torch.embedding.model, texts)
    found = SentenceEmbedding(on_torch.embedding.model, projection).embed(tiny_texts)
    plain = on_torch.embed(tiny_texts)
    assert abs((found @ found.T).mean()) < 0.02 < (plain @ plain.T).mean()
    with pytest.raises(CompactLMError, match=r"127 texts .* at least 128"):
        fit_projection(on_torch.embedding.model, [*tiny_texts[:127], ""])


@pytest.fixture(scope="module")
def encoder_root(tmp_path_factory, student_root):
    """A directory like models/student with a sentence embedding of its own, of 24 numbers and at most 40 tokens."""
    root = tmp_path_factory.mktemp("student")
    shutil.copytree(student_root / "mlm", root / "mlm")
    make_encoder(student_root / "sentiment", root / "embedding", dense=(make_dense(32, 24),), maximum_length=40)
    return root


def test_a_sentence_encoder_gives_the_vectors_of_its_directory(encoder_root, tiny_texts):
    found = CompactLM(encoder_root, backend="torch").embed(tiny_texts[:20])
    encoder = SentenceEncoder.load(encoder_root / "embedding")
    assert max(len(ids) for ids in encoder.tokenize(tiny_texts[:20])) < 40  # no text is truncated
    np.testing.assert_allclose(found, encoder.encode(tiny_texts[:20], 300, "encode"), atol=1e-6)


@pytest.mark.parametrize("include_prompt", [True, False])
def test_a_default_prompt_counts_only_if_the_pooling_includes_it(encoder_root, tiny_texts, tmp_path, include_prompt):
    root = shutil.copytree(encoder_root, tmp_path / "prompted")
    settings = {"prompts": {"query": "a very good film: "}, "default_prompt_name": "query"}
    (root / "embedding/config_sentence_transformers.json").write_text(json.dumps(settings))
    pooling = root / "embedding/1_Pooling/config.json"
    pooling.write_text(json.dumps(json.loads(pooling.read_text()) | {"include_prompt": include_prompt}))
    encoder, lm = SentenceEncoder.load(root / "embedding"), CompactLM(root, backend="torch")
    assert encoder.modules.prompt
    texts = tiny_texts[:9]
    assert max(len(ids) for ids in encoder.tokenize(texts)) < 40
    np.testing.assert_allclose(lm.embed(texts), encoder.encode(texts, 300, "encode"), atol=1e-6)
    assert lm.embed([""]).any() == include_prompt
    # Of a long text, only the first part has the prompt.
    prompt = len(lm.embedding.model.tokenizer.encode([encoder.modules.prompt])[0]) - 1
    model = lm.embedding.model
    first, second = model.tokenizer.windows(model.tokenizer.encode([encoder.modules.prompt + "good " * 50])[0], 40)
    skipped = 0 if include_prompt else prompt
    (one,), (two,) = (model.runner.hidden(model.batch([ids]), [LAST])[0] for ids in (first, second))
    sums = one[skipped:].sum(axis=0) + two.sum(axis=0)
    mean = sums / (len(first) - skipped + len(second))
    np.testing.assert_allclose(lm.embed(["good " * 50]), lm.embedding.modules.apply(mean[None]), atol=1e-6)


def test_all_parts_of_a_long_text_count(encoder_root):
    lm = CompactLM(encoder_root, backend="torch")
    parts = ["good " * 38, "bad " * 9]
    hidden = [_pooled(lm, part) for part in parts]
    means = (40 * hidden[0] + 11 * hidden[1]) / 51
    np.testing.assert_allclose(lm.embed(["".join(parts)]), lm.embedding.modules.apply(means[None]), atol=1e-6)


def _pooled(lm, text):
    model = lm.embedding.model
    batch = model.batch(model.tokenizer.encode([text]))
    (hidden,) = model.runner.hidden(batch, [LAST])
    return hidden[0].mean(axis=0)


def test_an_empty_text_has_the_zero_vector_in_a_sentence_encoder(encoder_root):
    found = CompactLM(encoder_root, backend="torch").embed(["", "good"])
    assert found.any(axis=1).tolist() == [False, True]


def test_the_fingerprint_includes_the_modules(encoder_root, tmp_path):
    root = shutil.copytree(encoder_root, tmp_path / "changed")
    before = CompactLM(root).embedding.fingerprint
    assert before == CompactLM(encoder_root).embedding.fingerprint
    path = root / "embedding/1_Pooling/config.json"
    path.write_text(path.read_text().replace('"pooling_mode_max_tokens": false', '"pooling_mode_max_tokens": true'))
    with pytest.raises(CompactLMError, match="width 32, but gets 64"):
        CompactLM(root).embed(["good"])
    shutil.rmtree(root / "embedding")
    make_encoder(encoder_root / "embedding", root / "embedding", dense=(make_dense(32, 24, seed=1),), maximum_length=40)
    assert CompactLM(root).embedding.fingerprint != before
