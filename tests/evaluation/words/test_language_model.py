import json

import numpy as np
import pytest
import torch
import yaml
from transformers import BertForMaskedLM

from compactlm.bert.words_to_mask import choose_words, top1
from compactlm.evaluation.pathologies import find_missing_figures
from compactlm.evaluation.words.language_model import LanguageModel, ask, compare_baselines, compare_language_models
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status, write_figures
from compactlm.params import Evaluate, parse_params
from tests.fixtures.builders import make_row

SEED = 3


@pytest.fixture(scope="module")
def evaluate(default_params):
    settings = parse_params(yaml.safe_load(default_params)).evaluate.model_dump(mode="json")
    return Evaluate(**{**settings, "mlm_words": 90, "pseudo_perplexity": {"rows_a_source": 8, "words_a_row": 2}})


@pytest.fixture(scope="module")
def rows(tiny_texts):
    return [make_row(f"row{at:03d}", text, "tweets" if at < 10 else "reviews") for at, text in enumerate(tiny_texts)]


@pytest.fixture(scope="module")
def model(tiny_bert, tiny_tokenizer):
    """Return a masked language model that predicts one word everywhere."""
    found = BertForMaskedLM.from_pretrained(tiny_bert)
    with torch.no_grad():
        found.cls.predictions.bias[tiny_tokenizer.convert_tokens_to_ids("the")] = 20.0
    return found


@pytest.fixture(scope="module")
def answers(model, tiny_tokenizer, rows, evaluate):
    return ask({role: LanguageModel(model, tiny_tokenizer, 32) for role in ("teacher", "student")}, rows, evaluate, 512, SEED)


def test_figures_of_sources_add_up_to_the_total(answers, rows, evaluate):
    found = compare_language_models(answers, rows, Resampler(100, SEED))
    assert set(found["sources"]) == {"tweets", "reviews"}
    assert sum(source["masked_words"] for source in found["sources"].values()) == found["rows"] == 90
    assert {name: source["words"] for name, source in found["sources"].items()} == {"reviews": 16, "tweets": 16}
    hits = sum(source["student"]["top5"].value * source["masked_words"] for source in found["sources"].values())
    assert hits == pytest.approx(found["quality"]["student"]["top5"].value * 90)
    assert not any(source["student"]["pseudo_perplexity"].judged for source in found["sources"].values())
    logs = [np.log(source["student"]["pseudo_perplexity"].value) for source in found["sources"].values()]
    assert np.log(found["quality"]["student"]["pseudo_perplexity"].value) == pytest.approx(np.mean(logs))
    json.dumps(write_figures(found), allow_nan=False)


def test_headline_figures_are_the_top_1_of_the_masked_words(answers, rows, evaluate, model, tiny_tokenizer):
    words = choose_words({row.id: row.text for row in rows}, [tiny_tokenizer, tiny_tokenizer], 90, SEED)
    expected = top1(model, tiny_tokenizer, words, 32, 512, "masked words")
    found = compare_language_models(answers, rows, Resampler(100, SEED))
    assert found["student_top1"] == found["teacher_top1"] == expected == pytest.approx(found["quality"]["student"]["top1"].value)
    assert 0 < expected < 1
    assert found["retention"] == 1
    assert found["quality"]["student"]["top5"].value >= expected - 1e-9


def test_the_order_of_rows_does_not_matter(answers, rows, evaluate, model, tiny_tokenizer):
    models = {role: LanguageModel(model, tiny_tokenizer, 32) for role in ("teacher", "student")}
    again = ask(models, rows[::-1], evaluate, 512, SEED)
    assert again.drawn == answers.drawn
    assert again.chosen == answers.chosen


def test_a_teacher_without_a_head_has_no_figures_and_the_students_stay(answers, rows, evaluate, model, tiny_tokenizer):
    alone = ask({"student": LanguageModel(model, tiny_tokenizer, 32)}, rows, evaluate, 512, SEED)
    with_teacher, found = (compare_language_models(one, rows, Resampler(100, SEED)) for one in (answers, alone))
    assert found["student_top1"] == with_teacher["student_top1"]
    assert np.log(found["student_pseudo_perplexity"]) == pytest.approx(alone.surprise["student"].mean())
    assert found["quality"]["student"] == with_teacher["quality"]["student"]
    assert not {"teacher_top1", "retention"} & set(found)
    figures = [*found["quality"]["teacher"].values(), found["quality"]["retention"]]
    assert [figure.status for figure in figures] == [Status.NOT_JUDGED] * 4
    assert all(not figure.judged for part in found["sources"].values() for figure in part["teacher"].values())
    assert list(find_missing_figures(found)) == []


def test_baselines_predict_the_same_words(answers, tiny_texts, tiny_tokenizer):
    found = compare_baselines(answers, tiny_texts, tiny_tokenizer, Resampler(100, SEED))
    assert found["ngram_top1"] > found["frequency_top1"]
    assert 1 < found["ngram_pseudo_perplexity"] < found["frequency_pseudo_perplexity"]
    for name, measured in found["baselines"].items():
        assert measured["top1"].rows == len(answers.chosen)
        assert measured["top1"].value == pytest.approx(found[f"{name}_top1"])
        assert measured["pseudo_perplexity"].value == pytest.approx(found[f"{name}_pseudo_perplexity"])
