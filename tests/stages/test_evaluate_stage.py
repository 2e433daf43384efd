"""The stage evaluate on tiny models. It writes all figures, gives the same bytes twice and stops at broken models."""

import dataclasses
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoTokenizer, BertForMaskedLM, BertForSequenceClassification, BertModel

from compactlm import artifacts
from compactlm.bert.sentence_encoder.writing import write_modules
from compactlm.errors import CompactLMError
from compactlm.figures.figure import Status
from compactlm.figures.quality import headline_figures
from compactlm.stages import evaluate
from compactlm.student.static_table import StaticTable
from tests.fixtures.builders import make_row

METRICS = "reports/metrics/evaluate.json"


@pytest.fixture
def params(build_params):
    small = {"mlm_words": 60, "forgetting_words": 30, "robustness": {"rows": 40}}
    small["pseudo_perplexity"] = {"rows_a_source": 5, "words_a_row": 2}
    length = {"maximum_length": 48}
    return build_params(bootstrap={"samples": 100}, evaluate=small, teacher=length, tokenize=length)


@pytest.fixture
def workspace(tmp_path, monkeypatch, tiny_bert, student_root, tiny_texts):
    monkeypatch.chdir(tmp_path)
    for role, general in (("teacher", "base"), ("student", "mlm")):
        shutil.copytree(tiny_bert, tmp_path / "models" / role / general)
        shutil.copytree(student_root / "sentiment", tmp_path / "models" / role / "sentiment")
    rows = [make_row(at, text, "movie_reviews", ("negative", "positive")[at % 3 == 0]) for at, text in enumerate(tiny_texts)]
    rows += [make_row(at + 1000, text.upper(), "tweets") for at, text in enumerate(tiny_texts[:40])]
    artifacts.write_documents(artifacts.SPLIT / "test", rows)
    artifacts.write_documents(artifacts.SPLIT / "train", rows[::2])
    monkeypatch.setattr(evaluate, "compare_speed", lambda configs, *rest: {name: config.hidden_size for name, config in configs.items()})
    return tmp_path


def alter(name, change):
    """Change the weights of a saved model."""
    directory = Path("models") / name
    model = (BertForMaskedLM if name.endswith(("base", "mlm")) else BertForSequenceClassification).from_pretrained(directory)
    with torch.no_grad():
        change(model)
    model.save_pretrained(directory)


def test_all_figures_are_written_and_two_runs_give_the_same_bytes(workspace, params):
    def run():
        evaluate.main(params)
        return (workspace / METRICS).read_bytes(), next((workspace / "data/predictions").glob("*.parquet")).read_bytes()

    alter("student/sentiment", lambda model: model.classifier.bias[1].add_(0.05))
    first = run()
    assert run() == first
    found = json.loads(first[0])
    task = found["tasks"]["sentiment"]
    assert {"rows", "teacher", "student", "chance", "agreement"} < set(task)
    assert {"quality", "slices", "worst_slice", "robustness", "forgetting", "spread"} <= set(task)
    assert {"rows", "teacher_top1", "student_top1", "quality", "sources", "spread", "word_spread"} <= set(found["mlm"])
    assert set(found["mlm"]["sources"]) == {"movie_reviews", "tweets"}
    assert set(found["size"]) == {
        *(f"{role}_{what}" for role in ("teacher", "student") for what in ("parameters", "bytes", "multiply_adds_a_token")),
        "ratio",
    }
    assert task["quality"]["student"]["accuracy"]["value"] == pytest.approx(task["student"])
    table = pq.read_table(next((workspace / "data/predictions").glob("*.parquet")))
    assert table.column_names == ["id", "task", "label", "teacher", "student"]
    rows = table.to_pylist()
    predicted = {role: [int(row[role][1] > row[role][0]) for row in rows] for role in ("teacher", "student")}
    again = headline_figures([("negative", "positive").index(row["label"]) for row in rows], predicted["teacher"], predicted["student"])
    assert all(task[key] == again[key] for key in ("teacher", "student", "agreement"))
    gender = found["fairness"]["tasks"]["sentiment"]["gender"]
    assert set(gender) == {"rows", "accuracy", "pairs", "counterfactual"}
    assert set(found["fairness"]) == {"tasks", "stereotypes", "gate"}
    timings = json.loads((workspace / "reports/timings/evaluate.json").read_text())
    assert timings["models"] == {"student": 32, "teacher": 32, "bert_base": 768}


def test_a_teacher_without_a_head_is_compared_where_it_can_be(workspace, params):
    BertForMaskedLM.from_pretrained(workspace / "models/teacher/base").bert.save_pretrained(workspace / "models/teacher/base")
    evaluate.main(params)
    found = json.loads((workspace / METRICS).read_text())
    assert {"student_top1", "student_pseudo_perplexity", "frequency_top1", "ngram_top1"} <= set(found["mlm"])
    assert not {"teacher_top1", "retention"} & set(found["mlm"])
    assert found["mlm"]["quality"]["teacher"]["top1"]["status"] == Status.NOT_JUDGED
    assert set(found["mlm"]["spread"]) == {"teacher", "student"}
    forgotten = found["tasks"]["sentiment"]["forgetting"]
    assert forgotten["teacher"]["kept"]["status"] == Status.NOT_JUDGED
    assert forgotten["student"]["before"]["status"] != Status.NOT_JUDGED
    assert found["tasks"]["sentiment"]["teacher"] == found["tasks"]["sentiment"]["student"]


@pytest.fixture
def encoders(workspace, tiny_bert, monkeypatch):
    """Make teacher and student sentence encoders, with a static table and suites."""
    shutil.copytree(tiny_bert, artifacts.STUDENT / "embedding")
    for directory in (artifacts.STUDENT / "embedding", artifacts.TEACHER / "base"):
        write_modules(directory, maximum_length=48)
    tokens = len(AutoTokenizer.from_pretrained(tiny_bert))
    torch.manual_seed(1)
    StaticTable(torch.randn(tokens, 32), torch.eye(32)).save(artifacts.STATIC_TABLE)
    shutil.copytree(Path(__file__).parents[2] / "configs/words/context", "configs/words/context")
    test = artifacts.read_documents(artifacts.SPLIT / "test")
    test = [dataclasses.replace(row, queries=(f"was it {row.text}",)) if row.source == "tweets" else row for row in test]
    artifacts.write_documents(artifacts.SPLIT / "test", test)


def test_sentence_embeddings_are_compared_if_the_student_has_one(workspace, encoders, build_params, params):
    evaluate.main(params)
    without = json.loads((workspace / METRICS).read_text())["embedding"]
    assert "found_at_1" not in without["student"]  # no test row of boolq
    small = {"retrieval": ["tweets"], "sentences": 40, "few_shot": [4, 256], "draws": 2, "context": ["opposites", "roles"]}
    evaluate.main(params.model_copy(update={"evaluate": build_params(evaluate={"embedding": small}).evaluate}))
    found = json.loads((workspace / METRICS).read_text())["embedding"]
    figures = {"found_at_1", "found_at_10", "spearman", "few_shot_4"}
    assert {name: set(found[name]) for name in ("student", "teacher", "static")} == dict.fromkeys(("student", "teacher", "static"), figures)
    assert found["student"] == found["teacher"]  # the same model
    assert found["student"]["spearman"]["value"] == 1
    assert found["kept"]["student"]["few_shot_4"]["value"] == 1
    assert abs(found["static"]["spearman"]["value"]) < 1
    assert set(found["context"]) == {"opposites", "roles", "all"}
    assert set(found["context"]["all"]) == {"student", "teacher", "static", "tfidf"}
    assert found["context"]["roles"]["tfidf"]["value"] == 0.5


def test_figures_of_an_embedding_of_one_point_end_the_stage(workspace, encoders, params):
    directory = artifacts.STUDENT / "embedding"
    model = BertModel.from_pretrained(directory, add_pooling_layer=False)
    with torch.no_grad():
        model.encoder.layer[-1].output.LayerNorm.weight.zero_()
    model.save_pretrained(directory)
    with pytest.raises(CompactLMError, match=r"embedding\.student"):
        evaluate.main(params)


def test_a_failed_gate_does_not_end_the_stage(workspace, params, capsys):
    gate = params.bias_audit.gate.model_copy(update={"on_violation": "fail"})
    evaluate.main(params.model_copy(update={"bias_audit": params.bias_audit.model_copy(update={"gate": gate})}))
    assert "Model gate: not judged" in capsys.readouterr().out
    found = json.loads((workspace / METRICS).read_text())["fairness"]["gate"]
    assert found["violated"] + found["not_judged"] > 0
    assert found["status"] in (Status.VIOLATED, Status.NOT_JUDGED)


def keep_only_the_bias(model):
    model.classifier.weight.zero_()


def set_nan(model):
    model.bert.encoder.layer[0].output.dense.weight[0, 0] = float("nan")


def embed_all_to_one_point(model):
    model.bert.encoder.layer[-1].output.LayerNorm.weight.zero_()
    model.bert.encoder.layer[-1].output.LayerNorm.bias.fill_(1.0)


def predict_the_same_everywhere(model):
    model.cls.predictions.transform.dense.weight.zero_()


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("student/sentiment", keep_only_the_bias, "the student of sentiment gives all 144 test rows the same"),
        ("student/sentiment", set_nan, "the model in models/student/sentiment has weights that are not finite"),
        ("teacher/base", set_nan, "the model in models/teacher/base has weights that are not finite"),
        ("student/mlm", predict_the_same_everywhere, "the student's masked language model gives all 60 masked"),
        ("teacher/base", predict_the_same_everywhere, "the teacher's masked language model gives all 60 masked"),
        ("student/mlm", embed_all_to_one_point, "the student's model mlm embeds 1[0-9]+ different texts to one point"),
    ],
)
def test_a_broken_model_ends_the_stage(workspace, params, name, change, sentence):
    alter(name, change)
    with pytest.raises(CompactLMError, match=sentence):
        evaluate.main(params)
