"""Broken models are refused, and sound models pass."""

import numpy as np
import pytest
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.bert.mask_scores import probabilities
from compactlm.bert.pooling import mean_states
from compactlm.bert.words_to_mask import choose_words, mask_words
from compactlm.errors import CompactLMError
from compactlm.evaluation.classifier import Reader
from compactlm.evaluation.pathologies import collapse, distance, find_missing_figures, outputs, refuse, same_words, spread
from compactlm.figures.figure import Figure
from compactlm.tasks.base import TaskOfModel

LABELS = ("negative", "positive")


def find(probabilities, first, role="student"):
    """Return the findings about outputs. The first `first` rows have the first label, and all others have the second one."""
    expected = (np.arange(len(probabilities)) >= first).astype(int)
    return list(outputs(probabilities, expected, LABELS, role, "sentiment"))


def sentence(found):
    [one] = found
    assert "\n" not in one
    assert one.count(";") == 1  # between the problem and its fix
    return one


def test_a_sound_model_passes(tiny_bert, student_root, tiny_tokenizer, tiny_texts, tiny_sequences):
    classifier = BertForSequenceClassification.from_pretrained(student_root / "sentiment")
    probabilities = Reader(
        classifier, tiny_tokenizer, 32, 512, "test", TaskOfModel("classification", ("no", "yes"), "accuracy")
    ).probabilities(tiny_texts)
    assert len(np.unique(probabilities.argmax(axis=1))) == 2
    assert find(probabilities, 70) == []
    found = spread(mean_states(BertForMaskedLM.from_pretrained(tiny_bert).bert, tiny_sequences, 0, 512))
    assert 0.01 < found < 1
    assert list(collapse(found, len(tiny_sequences), "student", "mlm")) == []


def all_positive(rows):
    positive = 0.6 + 0.3 * np.random.default_rng(0).random(rows)
    return np.stack([1 - positive, positive], axis=1)


@pytest.mark.parametrize(("role", "section"), [("teacher", "teacher.fine_tuning"), ("student", "distill")])
@pytest.mark.parametrize(
    ("probabilities", "first", "finding"),
    [
        (all_positive(40), 12, "predicts 'positive' for all 40 test rows, though 12 have another label"),
        (all_positive(29), 14, "predicts 'positive' for all 29 test rows, though 14 have another label"),
        (np.full((144, 2), 0.5), 70, "gives all 144 test rows the same output"),
        (np.full((144, 2), np.nan), 70, "gives 144 of 144 test rows an output that is not a finite number"),
    ],
)
def test_broken_outputs_are_found(probabilities, first, finding, role, section):
    found = sentence(find(probabilities, first, role))
    assert found.startswith(f"the {role} of sentiment {finding}")
    assert section in found


@pytest.mark.parametrize(("probabilities", "first"), [(all_positive(40), 4), (all_positive(8), 3), (np.full((6, 2), 0.5), 3)])
def test_a_sound_model_may_give_few_rows_such_outputs(probabilities, first):
    assert find(probabilities, first) == []


def test_a_label_that_is_never_predicted_is_found():
    probabilities = np.random.default_rng(0).dirichlet([5, 5, 0.1], 90)
    probabilities[:, 2] = 0

    def found(third):
        expected = np.array([0, 1] * 45)
        expected[:third] = 2
        return list(outputs(probabilities, expected, ("a", "b", "c"), "student", "topic"))

    assert sentence(found(10)).startswith("the student of topic never predicts 'c', though 10 of 90 test rows have that label")
    assert found(9) == []


def words_spread(model, tokenizer, texts):
    """Return the probabilities that a masked language model gives for a word of each text, and their distance."""
    chosen = choose_words({f"row{at}": text for at, text in enumerate(texts)}, [tokenizer], len(texts), 1)
    found = probabilities(model, mask_words(chosen, tokenizer, 32), tokenizer.pad_token_id, 512, "test")
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-4)
    return found, distance(found)


def test_a_masked_language_model_that_always_gives_the_same_output_is_found(tiny_bert, tiny_tokenizer, tiny_texts):
    model = BertForMaskedLM.from_pretrained(tiny_bert)
    with torch.no_grad():
        model.cls.predictions.transform.dense.weight.zero_()
    _, found = words_spread(model, tiny_tokenizer, tiny_texts)
    assert "the student's masked language model gives all 144 masked words the same" in sentence(same_words(found, 144, "student"))
    assert list(same_words(found, 9, "student")) == []
    assert "not finite" in sentence(same_words(float("nan"), 144, "student"))


def test_a_masked_language_model_with_a_favourite_word_is_not_broken(tiny_bert, tiny_tokenizer, tiny_texts):
    model = BertForMaskedLM.from_pretrained(tiny_bert)
    before, _ = words_spread(model, tiny_tokenizer, tiny_texts)
    word = tiny_tokenizer.get_vocab()["the"]
    with torch.no_grad():
        model.cls.predictions.decoder.bias[word] += float(np.log(before.max(axis=1) / before[:, word]).max()) + 0.01
    after, found = words_spread(model, tiny_tokenizer, tiny_texts)
    assert len(np.unique(after.argmax(axis=1))) == 1
    assert found > 0.01
    assert list(same_words(found, len(after), "student")) == []


def test_the_distance_of_equal_distributions_is_0():
    assert distance(np.full((5, 4), 0.25, np.float32)) == 0
    assert distance(np.eye(4, dtype=np.float32)) == pytest.approx(0.75)


def test_embeddings_at_one_point_are_found(tiny_bert, tiny_sequences):
    model = BertForMaskedLM.from_pretrained(tiny_bert)
    with torch.no_grad():
        model.bert.encoder.layer[-1].output.LayerNorm.weight.fill_(1e-4)
        model.bert.encoder.layer[-1].output.LayerNorm.bias.fill_(1.0)
    found = spread(mean_states(model.bert, tiny_sequences, 0, 512))
    assert "embeds 144 different texts to one point" in sentence(collapse(found, 144, "student", "mlm"))
    assert list(collapse(found, 9, "student", "mlm")) == []
    assert "not finite" in sentence(collapse(float("nan"), 144, "student", "mlm"))


def test_an_embedding_is_the_mean_over_tokens(tiny_bert, tiny_sequences):
    model = BertForMaskedLM.from_pretrained(tiny_bert).eval()
    found = mean_states(model.bert, tiny_sequences, 0, 512)
    with torch.inference_mode():
        alone = model.bert(torch.tensor([tiny_sequences[3]])).last_hidden_state[0].mean(dim=0)
    assert found[3] == pytest.approx(alone.numpy(), abs=1e-5)


def test_spread_is_0_for_a_point_and_1_around_the_origin():
    assert spread(np.ones((5, 3))) == 0
    assert spread(np.zeros((5, 3))) == 0
    assert spread(np.array([[1.0, 0.0], [-1.0, 0.0]])) == pytest.approx(1)


def test_missing_figures_are_named_except_those_of_few_rows():
    def task(rows):
        broken = Figure.measured(float("inf"), 0.0, 1.0, rows=rows, rows_needed=30)
        return {"tasks": {"a": {"rows": rows, "log_loss": broken, "spread": float("nan"), "auroc": broken, "retention": float("nan")}}}

    found = sentence(find_missing_figures(task(30)))
    assert found.startswith("the figure tasks.a.log_loss and 1 others of the evaluation is not a finite number; ")
    assert list(find_missing_figures(task(29))) == []
    assert "mlm.surprise" in sentence(find_missing_figures({"mlm": {"surprise": float("nan")}}))


def test_a_ratio_to_a_group_without_the_favourable_answer_may_be_undefined():
    nothing = Figure.measured(float("inf"), float("nan"), float("nan"), rows=40, rows_needed=30)
    pair = {"disparate_impact": {"student": nothing, "amplification": nothing}}
    assert list(find_missing_figures({"fairness": {"women_to_men": pair}})) == []
    pair["statistical_parity_difference"] = {"student": nothing}
    assert "statistical_parity_difference.student" in sentence(find_missing_figures({"fairness": {"women_to_men": pair}}))


def test_all_findings_are_joined_in_one_sentence():
    refuse([])
    with pytest.raises(CompactLMError, match=r"^one; two$"):
        refuse(["one", "two"])
