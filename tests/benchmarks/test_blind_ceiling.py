"""A tiny teacher of another seed, told apart from the teacher of a run."""

import pytest
import yaml

from benchmarks import blind_ceiling
from compactlm import artifacts
from compactlm.bert import models
from compactlm.errors import CompactLMError
from tests.fixtures.builders import make_row
from tests.fixtures.compared import draw_probabilities


@pytest.fixture
def run(tmp_path, monkeypatch, default_params, tiny_bert, tiny_texts, tiny_tokenizer):
    """The artifacts of a run on a tiny teacher."""
    monkeypatch.chdir(tmp_path)
    rows = [make_row(at, text, "movie_reviews", ("negative", "positive")[at % 2]) for at, text in enumerate(tiny_texts[:100])]
    artifacts.write_documents(artifacts.SPLIT / "train", rows[:40])
    artifacts.write_documents(artifacts.SPLIT / "test", rows[40:])
    expected = [at % 2 for at in range(60)]
    said = {"teacher": draw_probabilities(expected, 2.0, 1), "student": draw_probabilities(expected, 1.0, 2)}
    predictions = [
        {"id": row.id, "task": "sentiment", "label": row.label} | {role: said[role][at].tolist() for role in said}
        for at, row in enumerate(rows[40:])
    ]
    artifacts.write_table(artifacts.PREDICTIONS, predictions, artifacts.PREDICTION_SCHEMA)
    models.save(models.load_base(tiny_bert), tiny_tokenizer, artifacts.TEACHER / artifacts.BASE)
    content = yaml.safe_load(default_params)
    content["threads"] = 1
    content["teacher"]["maximum_length"] = content["tokenize"]["maximum_length"] = 16
    content["teacher"]["fine_tuning"]["optimisation"]["epochs"] = 1
    content["teacher"]["fine_tuning"]["frozen_layers"] = 0
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    return said | {"texts": [row.text for row in rows[40:]]}


@pytest.mark.slow
def test_two_teachers_are_compared_like_student_and_teacher(run, capsys):
    blind_ceiling.main(["--seed", "3", "--threads", "1"])
    found = artifacts.read_json(blind_ceiling.REPORT)
    assert found["seeds"] == [17, 3]
    task = found["tasks"]["sentiment"]
    assert task["rows"] == 60
    for pair in ("teacher_and_student", "two_teachers"):
        assert task[pair]["agreement"]["rows"] == task[pair]["judge"]["rows"] == 60
        assert 0 <= task[pair]["judge"]["auc"] <= 1
    said = run["teacher"].argmax(axis=1)
    answers = blind_ceiling.train_and_answer(blind_ceiling.read_params(), "sentiment", 3, run["texts"])
    assert task["two_teachers"]["agreement"]["value"] == pytest.approx((answers.argmax(axis=1) == said).mean(), abs=1e-6)
    printed = capsys.readouterr().out
    assert "sentiment, two teachers: equal labels on" in printed
    first, again, other = (
        blind_ceiling.train_and_answer(blind_ceiling.read_params(), "sentiment", seed, ["good", "bad"]) for seed in (3, 3, 4)
    )
    assert (first == again).all()
    assert (first != other).all()


def test_equal_seeds_are_refused(run):
    with pytest.raises(CompactLMError, match="both seeds are 17"):
        blind_ceiling.main(["--seed", "17"])
