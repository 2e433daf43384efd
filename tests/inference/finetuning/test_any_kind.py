"""A model of each kind is learnt from rows that a tiny BERT can learn, saved, and used."""

import json

import numpy as np
import pytest

from compactlm import CompactLM
from compactlm.errors import CompactLMError

pytestmark = pytest.mark.slow

HOW = {"epochs": 25, "learning_rate": 3e-3, "seed": 1}
ANIMALS = {"dog", "cat"}
THINGS = {"film", "story", "music", "plot"}


@pytest.fixture(scope="module")
def lm(student_root):
    return CompactLM(student_root, backend="torch", threads=1)


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def check(found, kind, metric, rows):
    """Check what is said of a model that has learnt."""
    assert (found.kind, found.metric) == (kind, metric)
    assert found.rows + found.validation_rows == rows
    assert 0.15 * rows < found.validation_rows < 0.35 * rows
    assert found.epochs > 0
    assert found.low <= found.value <= found.high
    assert found.value > found.chance + 0.2, found


def test_pairs_are_learnt(lm, tmp_path, tiny_texts):
    pairs = [(first, second) for first, second in zip(tiny_texts, tiny_texts[50:] + tiny_texts[:50], strict=True)]
    labels = [("cold", "warm")["dog" in second] for _, second in pairs]
    path = write(tmp_path / "rows.jsonl", [{"a": a, "b": b, "y": label} for (a, b), label in zip(pairs, labels, strict=True)])
    sentences = []
    found = lm.finetune_task(path, {"text": "a", "pair": "b", "label": "y"}, tmp_path / "own", **HOW, say=sentences.append)
    check(found, "classification", "accuracy", len(pairs))
    assert found.labels == ["cold", "warm"]
    assert sentences[0].startswith("epoch 1: validation loss ")
    answers = CompactLM(tmp_path / "own", threads=1).classify_all(pairs)
    assert np.mean([one.label == label for one, label in zip(answers, labels, strict=True)]) > 0.9
    assert json.loads((tmp_path / "own" / "config.json").read_text())["labelled_rows"] == found.rows
    again = lm.finetune_task(path, {"text": "a", "pair": "b", "label": "y"}, tmp_path / "again", **HOW)
    assert again == found
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (tmp_path / "own" / "model.safetensors").read_bytes()


def test_any_number_of_labels_are_learnt(lm, tmp_path, tiny_texts):
    expected = [tuple(label for label in ("dog", "film", "good") if label in text) for text in tiny_texts]
    path = write(tmp_path / "rows.jsonl", [{"t": text, "l": labels} for text, labels in zip(tiny_texts, expected, strict=True)])
    found = lm.finetune_task(path, {"text": "t", "labels": "l"}, tmp_path / "own", **HOW)
    check(found, "multilabel", "mean_average_precision", len(tiny_texts))
    answers = CompactLM(tmp_path / "own", threads=1).classify_all(tiny_texts)
    assert np.mean([set(one.labels) == set(labels) for one, labels in zip(answers, expected, strict=True)]) > 0.8


def test_numbers_are_learnt_in_their_unit(lm, tmp_path, tiny_texts):
    scores = [1000 + 50 * ("dog" in text) + 20 * ("film" in text) for text in tiny_texts]
    path = write(tmp_path / "rows.jsonl", [{"t": text, "z": score} for text, score in zip(tiny_texts, scores, strict=True)])
    found = lm.finetune_task(path, {"text": "t", "score": "z"}, tmp_path / "own", **HOW)
    check(found, "regression", "spearman", len(tiny_texts))
    assert (found.labels, found.chance) == ([], 0.0)
    answers = [one.score for one in CompactLM(tmp_path / "own", threads=1).score_all(tiny_texts)]
    assert np.abs(np.array(answers) - scores).mean() < 10


def test_tags_are_learnt_from_conll(lm, tmp_path, tiny_texts):
    def tag(word):
        return "S-animal" if word in ANIMALS else "S-thing" if word in THINGS else "O"

    path = tmp_path / "rows.conll"
    words = [text.replace(",", " ,").replace(".", " .").replace("!", " !").replace("?", " ?").split() for text in tiny_texts]
    path.write_text("".join("".join(f"{word} {tag(word)}\n" for word in row) + "\n" for row in words))
    found = lm.finetune_task(path, {}, tmp_path / "own", **HOW)
    check(found, "tagging", "entity_f1", len(tiny_texts))
    assert found.labels == ["O", "B-animal", "I-animal", "B-thing", "I-thing"]
    found = CompactLM(tmp_path / "own", threads=1).tag("the film was bad, and the dog played with a cat.")
    assert [(one.label, one.text, one.start) for one in found.entities] == [
        ("thing", "film", 4),
        ("animal", "dog", 26),
        ("animal", "cat", 44),
    ]


def test_answers_are_learnt(lm, tmp_path, tiny_texts):
    rows = []
    for text in tiny_texts:
        subject = text[: text.index(next(verb for verb in (" was", " loved", " hated", " never") if verb in text))]
        rows.append({"p": text, "q": "who?", "a": subject if "dog" not in text else None})
    found = lm.finetune_task(
        write(tmp_path / "rows.jsonl", rows), {"text": "p", "pair": "q", "answer": "a"}, tmp_path / "own", **HOW | {"epochs": 40}
    )
    check(found, "span", "f1", len(rows))
    own = CompactLM(tmp_path / "own", threads=1)
    answers = [one.answer for one in own.extract_all((row["q"], row["p"]) for row in rows)]
    assert np.mean([one == row["a"] for one, row in zip(answers, rows, strict=True)]) > 0.8


def test_the_command_shows_the_figure_beside_the_best_constant_answer(cli, monkeypatch, student_root, tmp_path, tiny_texts):
    monkeypatch.setenv("COMPACTLM_MODEL", str(student_root))
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "rows.jsonl", [{"t": text, "z": len(text)} for text in tiny_texts] + [{"t": "", "z": 3}])
    command = ("finetune", "rows.jsonl", "--text", "t", "--score", "z", "--epochs", "3", "--learning-rate", "0.003", "--threads", "1")
    status, output, errors = cli(*command)
    assert status == 0
    assert "1 rows of rows.jsonl are skipped" in errors
    rows, figure, usage = output.splitlines()
    assert rows == "108 labelled rows used for training, 36 held out"
    assert figure.startswith("held-out Spearman correlation 0.")
    assert figure.endswith("; the best answer that is always the same: 0.000")
    assert usage == 'compactlm score --model models/finetuned/z "..."'
    status, output, _ = cli("score", "--model", "models/finetuned/z", "the film was good")
    assert status == 0
    found = json.loads(cli(*command, "--json")[1])
    assert (found["kind"], found["metric"], found["rows"], found["chance"]) == ("regression", "spearman", 108, 0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--text", "t"), "pass one of --label, --labels, --score, --tags, --answer"),
        (("--text", "t", "--score", "z", "--teacher", "models"), "a teacher can help with the labels of single texts"),
        (("--text", "t", "--score", "y"), "rows.jsonl, line 1: the column 'y' of --score does not exist"),
        (("--text", "t", "--labels", "z"), "which is not a list of labels"),
        (("--text", "t", "--label", "y", "--score", "z"), "--label and --score are named"),
    ],
)
def test_what_cannot_be_learnt_is_one_sentence(cli, monkeypatch, student_root, tmp_path, tiny_texts, arguments, message):
    monkeypatch.setenv("COMPACTLM_MODEL", str(student_root))
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "rows.jsonl", [{"t": text, "z": len(text)} for text in tiny_texts])
    status, output, errors = cli("finetune", "rows.jsonl", *arguments)
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert message in errors


def test_the_source_model_is_not_overwritten(lm, student_root, tmp_path, tiny_texts):
    path = write(tmp_path / "rows.jsonl", [{"t": text, "z": len(text)} for text in tiny_texts])
    with pytest.raises(CompactLMError, match="is the model to learn from"):
        lm.finetune_task(path, {"text": "t", "score": "z"}, student_root / "mlm")
