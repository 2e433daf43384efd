"""The phase embedding on tiny models, from the signals to the student in sentence-transformers' format."""

import json

import numpy as np
import pytest
import torch

from compactlm import artifacts
from compactlm.bert.sentence_encoder.encoding import SentenceEncoder
from compactlm.bert.tokenization import encode
from compactlm.distillation import embedding_inputs
from compactlm.distillation.embedding_inputs import EMBEDDING, STATIC, TABLE, TOKENS, EmbeddingInputs, is_enabled
from compactlm.distillation.embedding_phase import begin, embed, rank
from compactlm.distillation.signals.sentences import CachedSentences, Texts
from compactlm.distillation.token_objective import TokenExamples, TokenObjective, fit_tokens
from compactlm.errors import CompactLMError
from compactlm.params.reading import ParamsError
from compactlm.stages.distill_train import _write_encoder
from compactlm.student.static_table import StaticTable
from compactlm.text.triples import Triple
from compactlm.training.checkpoints import Checkpoint
from tests.fixtures.embedding import OPTIMISATION, write_signals


@pytest.fixture
def build(build_phases):
    return build_phases


def weights_of(student):
    return {name: value.clone() for name, value in student.state_dict().items()}


def test_the_phase_learns_and_reports(build):
    phases = build()
    write_signals(phases)
    student = phases.embedding(None)
    metrics = phases.metrics[EMBEDDING]
    assert {"loss", "cosine", "similarity_kl", "contrastive", "validation_found_at_1", "validation_found_at_10"} <= set(metrics)
    assert metrics["validation_found_at_1"].rows == 60
    assert {TABLE, TOKENS, EMBEDDING} <= set(phases.timings)
    assert student.dense.out_features == 16


def test_the_student_comes_nearer_to_the_teacher_than_the_static_table(build):
    longer = {"fitted_texts": 0, "optimisation": {**OPTIMISATION, "epochs": 8, "items": ["text", "triple"]}, "contrastive": {"weight": 0.0}}
    phases = build(embedding=longer)
    write_signals(phases)
    student = phases.embedding(None)
    texts = EmbeddingInputs(phases.inputs).material.texts
    sequences = encode(phases.inputs.tokenizer, texts.texts, 32)
    own = torch.from_numpy(embed(student, sequences, 500))
    theirs = EmbeddingInputs(phases.inputs).source().vectors(range(len(texts.ids)))
    table = StaticTable.read(artifacts.SIGNALS / STATIC).embed(sequences, 16)
    pairs = torch.triu_indices(len(own), len(own), 1)
    of_teacher, of_student, of_table = ((vectors @ vectors.T)[*pairs] for vectors in (theirs, own, table))
    assert torch.corrcoef(torch.stack([of_teacher, of_student]))[0, 1] > torch.corrcoef(torch.stack([of_teacher, of_table]))[0, 1]


def test_the_fitted_map_comes_nearer_to_the_sentence_vectors_than_that_of_the_tokens(build):
    found = write_signals(build())

    def error(fitted_texts):
        phases = build(embedding={"optimisation": None, "fitted_texts": fitted_texts})
        student, source, rows = phases.embedding(None), found.source(), found.material.whole
        texts = found.material.texts.texts
        own = torch.from_numpy(embed(student, encode(phases.inputs.tokenizer, [texts[row] for row in rows], 32), 500))
        wanted = torch.nn.functional.normalize(source.vectors(rows) @ found.components(source).T, dim=-1)
        assert EMBEDDING not in phases.timings
        assert "validation_found_at_1" in phases.metrics[EMBEDDING]
        return float((own - wanted).square().sum(dim=1).mean())

    assert error(1000) < error(0)


def test_training_without_any_part_is_refused(build):
    with pytest.raises(ParamsError, match=r"distill\.embedding trains nothing; set table, tokens or optimisation"):
        build(embedding={"enabled": True, "table": None, "tokens": None, "optimisation": None})


def test_an_interrupted_phase_gives_the_same_student(build, tmp_path, monkeypatch):
    write_signals(build())
    whole = weights_of(build().embedding(None))

    def interrupted(phase, at):
        checkpoints = {name: Checkpoint(tmp_path / "checkpoints" / phase / name, "key") for name in (TABLE, TOKENS, EMBEDDING)}
        phases, saved = build(checkpoints), Checkpoint.save

        def save(self, module, optimizer, step, *rest):
            saved(self, module, optimizer, step, *rest)
            if self.directory.name == phase and step >= at:
                raise KeyboardInterrupt

        phases.settings.__dict__.update(checkpoint_minutes=0.0, log_every=2)
        with monkeypatch.context() as patch:
            patch.setattr(Checkpoint, "save", save)
            with pytest.raises(KeyboardInterrupt):
                phases.embedding(None)
        return build(checkpoints)

    for phase in (TABLE, TOKENS, EMBEDDING):
        again = interrupted(phase, 4)
        found = weights_of(again.embedding(None))
        assert again.timings[phase]["resumed_from_step"] >= 4
        assert all(torch.equal(value, found[name]) for name, value in whole.items()), phase


def test_cached_and_online_vectors_are_the_same(build):
    cached = build()
    write_signals(cached)
    rows = [5, 0, 7]
    first = EmbeddingInputs(cached.inputs).source().vectors(rows)
    second = EmbeddingInputs(build(source="online").inputs).source().vectors(rows)
    assert torch.allclose(first, second, atol=1e-3)
    assert torch.allclose(first.norm(dim=1), torch.ones(3), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("text", r"row 1 of .* has the vector of another text"),
        ("rows", r"has \d+ texts, but there are 2 now"),
        ("settings", r"has vectors for maximum_length 64, but maximum_length is 8 now"),
        ("bytes", r"is damaged \(ValueError: its sha256"),
    ],
)
def test_a_cache_of_other_texts_or_settings_is_refused(build, change, message):
    found = write_signals(build())
    texts, settings = found.material.texts, found.settings()
    if change == "text":
        texts = Texts(texts.ids, [texts.texts[0], "another", *texts.texts[2:]])
    elif change == "rows":
        texts = Texts(texts.ids[:2], texts.texts[:2])
    elif change == "settings":
        settings["maximum_length"] = 8
    else:
        path = artifacts.SIGNALS / EMBEDDING / "tensors.safetensors"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    with pytest.raises(CompactLMError, match=message):
        CachedSentences(artifacts.SIGNALS / EMBEDDING, texts, settings)


def test_the_student_starts_from_the_table_or_from_general_distillation(build):
    phases = build()
    found = write_signals(phases)
    table, source = StaticTable.read(artifacts.SIGNALS / STATIC), found.source()
    sequences = encode(phases.inputs.tokenizer, found.material.texts.texts, 32)
    start = embed(begin(found, None, source, table), sequences, 500)
    assert np.allclose(start[:, :14], table.embed(sequences, 14).numpy(), atol=0.1)
    general, _ = phases.untrained()
    phases = build(embedding={"start": "general"})
    student = begin(EmbeddingInputs(phases.inputs), general, source, table)
    assert all(
        torch.equal(value, student.bert.state_dict()[name]) for name, value in general.bert.state_dict().items() if "pooler" not in name
    )
    target = torch.nn.functional.normalize(source.vectors(range(len(sequences))) @ table.directions[:16].T, dim=-1)
    fitted = torch.from_numpy(embed(student, sequences, 500))
    assert (fitted * target).sum(dim=1).mean() > 0.8


def test_the_phase_follows_the_teacher_unless_it_is_set(build):
    phases = build()
    assert is_enabled("auto")
    assert not is_enabled(False)
    (artifacts.TEACHER / artifacts.BASE / "modules.json").unlink()
    assert not is_enabled("auto")
    assert is_enabled(True)
    assert phases.embedding(None) is None
    # A teacher without modules is read by the mean of its hidden states.
    assert EmbeddingInputs(phases.inputs).teacher().modules.pooling == ("mean",)


def test_the_written_student_gives_the_vectors_of_training(build):
    phases = build()
    found = write_signals(phases)
    student = begin(found, None, found.source(), StaticTable.read(artifacts.SIGNALS / STATIC))
    directory = artifacts.STUDENT / EMBEDDING
    _write_encoder(student, phases.inputs.tokenizer, directory, 64)
    texts = list(found.material.texts.texts[:9])
    expected = embed(student, encode(phases.inputs.tokenizer, texts, 64), 500)
    assert np.allclose(SentenceEncoder.load(directory).encode(texts, 500, "read"), expected, atol=1e-5)
    assert json.loads((directory / "config.json").read_text())["architectures"] == ["BertModel"]


def test_triples_are_texts_of_their_own_and_have_no_teacher(build, monkeypatch):
    triples = [Triple("good", "nice", "bad", "x"), Triple("up", "above", "down", "y")]
    monkeypatch.setattr(embedding_inputs.EmbeddingInputs, "_triples", lambda self: triples)
    monkeypatch.setattr(embedding_inputs.EmbeddingInputs, "_opposites", lambda self: [Triple("bad", "very bad", "good", "z")])
    found = EmbeddingInputs(build(embedding={"opposites": {"weight": 1.0, "temperature": 0.1}}).inputs).material
    texts = found.texts.texts
    assert [tuple(texts[at] for at in item) for item in found.items if len(item) == 3] == [("good", "nice", "bad"), ("up", "above", "down")]
    assert [tuple(texts[at] for at in item) for item in found.opposites] == [("bad", "very bad", "good")]
    assert len(set(found.texts.ids)) == len(set(texts)) == len(texts)


def test_the_table_alone_learns_from_opposites(build, monkeypatch):
    taught = {}
    monkeypatch.setattr(embedding_inputs.EmbeddingInputs, "_triples", lambda self: [Triple("good", "nice", "bad", "x")])
    monkeypatch.setattr(embedding_inputs.EmbeddingInputs, "_opposites", lambda self: [Triple("up", "very up", "down", "y")])
    phases = build(embedding={"opposites": {"weight": 1.0, "temperature": 0.1}, "optimisation": {**OPTIMISATION, "items": ["triple"]}})
    write_signals(phases)
    train = phases._train
    monkeypatch.setattr(phases, "_train", lambda name, *rest: taught.update({name: rest[1]}) or train(name, *rest))
    phases.embedding(None)
    texts = EmbeddingInputs(phases.inputs).material.texts.texts
    anchors = {name: {texts[item[0]] for item in taught[name].items if len(item) == 3} for name in (TABLE, EMBEDDING)}
    assert anchors == {TABLE: {"good", "up"}, EMBEDDING: {"good"}}


def test_the_mean_of_the_token_vectors_is_the_sentence_vector_in_components(build):
    found = EmbeddingInputs(build().inputs)
    source = found.online(found.material.texts)
    directions, rows = found.components(source), range(5)
    batch = found.token_rows.model_inputs(rows)
    states = found.online_tokens(source).signals(batch, rows)["teacher_states"][:, :, 0]
    mask = batch["attention_mask"][:, :, None]
    mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
    teacher = found.teacher()
    ids = torch.tensor(found.inputs.id_map)
    own = [ids[torch.tensor(found.token_rows.sequences[row])].tolist() for row in rows]
    expected = torch.from_numpy(teacher.encode_sequences(own, 500, "read")) @ directions.T
    assert torch.allclose(mean, expected, atol=1e-4)


def test_a_fitted_map_explains_a_part_of_the_token_vectors(build):
    phases = build()
    found = write_signals(phases)
    source = found.source()
    student = begin(found, None, source, StaticTable.read(artifacts.SIGNALS / STATIC)).eval()
    examples = TokenExamples(found.token_rows, found.token_source(source))
    objective = TokenObjective(student, fit_tokens(student, examples))
    batch = examples.batch(range(20), 0)
    assert 0 < objective(**batch)["loss"].item() < 1
    with torch.no_grad():
        student.dense.weight.zero_()
        student.dense.bias.copy_(batch["target"][batch["attention_mask"].bool()].mean(dim=0))
    assert objective(**batch)["loss"].item() == pytest.approx(1, abs=0.2)


def test_a_passage_with_a_pair_is_no_item_of_its_own(build):
    found = EmbeddingInputs(build().inputs).material
    paired = {item[1] for item in found.items if len(item) == 2}
    single = {item[0] for item in found.items if len(item) == 1}
    assert paired
    assert not paired & single
    assert paired | single == set(range(len(found.texts.ids)))
    alone = EmbeddingInputs(build(embedding={"contrastive": {"weight": 0.0}}).inputs).material
    assert alone.items == [(at,) for at in range(len(found.texts.ids))]


def test_ranks_count_the_passages_that_are_nearer():
    passages = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    assert rank(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), passages, [0, 2, 1]).tolist() == [0, 2, 1]


def test_a_teacher_without_a_head_teaches_masked_words_by_text_alone(build):
    phases = build(source="online")
    student, _ = phases.general()
    assert {"loss", "hard", "validation_top1"} == set(phases.metrics["general"])
    assert "soft" not in phases.metrics["general"]
    assert phases.inputs.general().ids[-1].endswith("/1")  # each of 2 epochs has masks of its own
    assert torch.isfinite(student.cls.predictions.bias).all()
    with pytest.raises(CompactLMError, match=r"distill.general.soft_weight is 1, but the teacher has no masked-language-model head"):
        build(source="online", general={"soft_weight": 1.0}).general()


def test_a_wrong_cache_is_refused_before_general_distillation(build, monkeypatch):
    phases = build()
    write_signals(phases)
    (artifacts.SIGNALS / EMBEDDING / "cache.json").write_text("{}")
    monkeypatch.setattr(phases.inputs, "check_caches", lambda: None)
    monkeypatch.setattr(phases, "_train", lambda *_: pytest.fail("trained"))
    with pytest.raises(CompactLMError, match=r"cache.json is damaged"):
        phases.general()


def test_hidden_states_of_a_teacher_without_a_head_can_be_learnt(build):
    phases = build(source="online", general={"hidden": {"weight": 1.0, "layers": [[2, 2]]}})
    phases.general()
    assert {"loss", "hard", "hidden", "validation_top1"} == set(phases.metrics["general"])
