"""What the commands of a version give, the present one and one in another checkout."""

import json
from pathlib import Path

import pytest

from benchmarks.bench_answers import decided
from benchmarks.bench_embedding import embed_before
from benchmarks.shared.commands import EVERYTHING, Job, ask, finetune, run
from benchmarks.shared.versions import Version
from compactlm import CompactLM

QUESTIONS = ["was the film good?", "who hated the ending?", "a dog by the river"]
EARLIER = """
class Sentence:
    text = "a cat."

class CompactLM:
    def __init__(self, models, threads):
        self.models = models

    def summarize(self, text, sentences):
        return [Sentence()] * sentences

    def embed(self, texts):
        return [[len(text), 0.0] for text in texts]
"""


@pytest.fixture
def earlier(tmp_path):
    """The checkout of a version whose every sentence is the same."""
    package = tmp_path / "earlier" / "src" / "compactlm"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(EARLIER)
    (tmp_path / "earlier" / "models").mkdir()
    return tmp_path / "earlier"


def test_questions_are_answered_by_the_line_of_the_answer(lm):
    rows = [{"question": text, "answer": "yes"} for text in QUESTIONS]
    assert ask(lm, rows, [QUESTIONS[2], QUESTIONS[0]], EVERYTHING) == [3, 1]
    assert ask(lm, rows, ["zq xw"], 1.0) == [None]


def test_summaries_are_made_of_sentences_of_the_text(export_root, tmp_path):
    text = "A dog ran by the river. The film was good. Who hated the ending?"
    material = tmp_path / "material.json"
    material.write_text(json.dumps({"texts": [text], "sentences": 2}))
    (summary,) = run(Job("summarize", str(export_root), str(material), 1))
    assert len(summary) < len(text)
    assert all(sentence.strip(" .?") in text for sentence in summary.split(". "))


def test_each_draw_is_fine_tuned_and_labels_all_texts(student_root):
    draws = [[(f"the film number {at} was {word}", word) for at in range(16) for word in ("good", "bad")]] * 2
    found = finetune(CompactLM(student_root, threads=1), draws, ["a good film", "a bad film", "a dog"])
    assert [len(labels) for labels in found] == [3, 3]
    assert {label for labels in found for label in labels} <= {"good", "bad"}


def test_a_version_is_measured_with_the_package_of_its_checkout(earlier):
    found = Version("bench-x", 1, earlier).run("summarize", Path("models"), texts=["one.", "two."], sentences=2)
    assert found == ["a cat. a cat."] * 2


def test_an_earlier_embedding_gives_the_vectors_of_its_checkout(earlier):
    graph = earlier / "models/export/embedding/onnx/model.onnx"
    graph.parent.mkdir(parents=True)
    graph.write_bytes(b"1234")
    embed, size = embed_before(Version("bench-x", 1, earlier), ["a", "four", "to"])
    assert embed(["to", "a", "to"]).tolist() == [[2, 0], [1, 0], [2, 0]]
    assert size == 4


def test_a_version_without_models_names_the_command_that_brings_them(earlier):
    with pytest.raises(SystemExit, match=r"bench-x: .*models/export is missing; run `dvc checkout models/export`"):
        Version("bench-x", 1, earlier).run("summarize", Path("models/export"))


def test_decisions_are_right_wrong_or_none():
    found = decided([1, 3, None, 4], [None, 7, None, None], [0, 1, 2, 3])
    assert found == {"right": 0.5, "wrong": 0.25, "wrong_without_own": 0.25}
