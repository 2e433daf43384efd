"""The whole pipeline runs for a task of each kind at once, on local files and with tiny models."""

import json

import pytest

from compactlm.artifacts import read_json, read_table
from compactlm.tasks import KINDS
from tests.fixtures.checkout import GOOD, new_checkout, use_tiny_models

pytestmark = pytest.mark.pipeline

METRICS = {"agrees": "accuracy", "mood": "spearman", "themes": "mean_average_precision", "names": "entity_f1", "places": "f1"}
ANIMALS = ("cat", "dog")


def write_lines(checkout, name, rows):
    checkout.path("data/sources", f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"kind": "files", "path": f"data/sources/{name}.jsonl"}


def use_kinds(checkout, content, texts):
    """Change the parameters to a task of each kind, with rows that a tiny teacher can learn."""
    rows = [f"{text} {('she', 'he')[number % 2]} {number}" for number, text in enumerate(texts * 2)]
    good = [any(word in text for word in GOOD) for text in rows]
    pairs = [
        {"text": text, "other": f"it was {'good' if (number % 2) == is_good else 'bad'} {number}", "label": "yes" if number % 2 else "no"}
        for number, (text, is_good) in enumerate(zip(rows, good, strict=True))
    ]
    moods = [{"text": f"{text} here", "score": 2.0 * is_good + ("film" in text)} for text, is_good in zip(rows, good, strict=True)]
    themes = [{"text": f"{text} now", "labels": [name for name in ("film", "story", "music") if name in text]} for text in rows]
    tagged = [[(word, "B-animal" if word in ANIMALS else "O") for word in text.split()] for text in rows]
    passages = [
        {"passage": f"{text} again", "question": f"what {'animal' if number % 3 else 'river'} {number}?", **_place(text, number)}
        for number, text in enumerate(rows)
    ]
    checkout.path("data/sources", "names.conll").write_text(
        "\n\n".join("\n".join(f"{word}\t{tag}" for word, tag in row) for row in tagged) + "\n"
    )
    content["ingest"] = {
        "sources": {
            "agrees": {**write_lines(checkout, "agrees", pairs), "columns": {"text": "text", "pair": "other", "label": "label"}},
            "mood": {**write_lines(checkout, "mood", moods), "columns": {"text": "text", "score": "score"}},
            "themes": {**write_lines(checkout, "themes", themes), "columns": {"text": "text", "labels": "labels"}},
            "names": {"kind": "files", "path": "data/sources/names.conll"},
            "places": {
                **write_lines(checkout, "places", passages),
                "columns": {"text": "passage", "pair": "question", "answer": "answer", "answer_start": "start"},
            },
            "notes": {**write_lines(checkout, "notes", [{"text": f"{text} in notes"} for text in texts]), "columns": {"text": "text"}},
        }
    }
    content["tasks"] = {
        "agrees": {"sources": ["agrees"], "labels": ["no", "yes"], "pair": True, "class_weights": "balanced"},
        "mood": {"kind": "regression", "sources": ["mood"]},
        "themes": {"kind": "multilabel", "sources": ["themes"], "labels": ["film", "story", "music"]},
        "names": {"kind": "tagging", "sources": ["names"], "labels": ["animal"], "maximum_length": 32},
        "places": {"kind": "span", "sources": ["places"], "maximum_length": 32, "stride": 8},
    }
    content["bias_audit"] |= {
        "protected": {name: ["gender"] for name in METRICS},
        "favorable_labels": {"agrees": "yes", "themes": "film"},
        "minimum_group_rows": 2,
    }
    content["signals"]["task"]["unlabelled"] = ["notes"]
    content["split"] |= {"near_duplicates": None, "across_splits": "report"}  # the rows are all alike
    content["evaluate"]["embedding"]["retrieval"] = []


def _place(text, number):
    found = next((word for word in ANIMALS if word in text.split()), None) if number % 3 else None
    return {"answer": found, "start": text.index(found) if found else -1}


def test_all_stages_run_for_a_task_of_each_kind(tmp_path, tiny_bert, tiny_texts):
    checkout = new_checkout(tmp_path / "checkout")
    checkout.run("compactlm", "preset", "smoke")
    content = checkout.params()
    use_kinds(checkout, content, tiny_texts)
    use_tiny_models(content, {"kind": "directory", "path": str(tiny_bert), "licence": "own"})
    checkout.write_params(content)
    checkout.run("dvc", "repro", HF_HUB_OFFLINE="1")

    evaluated, taught, distilled, exported = (
        read_json(checkout.path("reports/metrics", f"{stage}.json")) for stage in ("evaluate", "teacher", "distill-train", "export")
    )
    assert {content["tasks"][name].get("kind", "classification") for name in METRICS} == set(KINDS)
    for name, metric in METRICS.items():
        task = evaluated["tasks"][name]
        assert task["rows"] > 30
        assert task["quality"]["student"][metric]["value"] == pytest.approx(task["student"])
        assert {"slices", "robustness", "forgetting", "chance", "retention"} <= set(task)
        assert metric in taught[name]
        assert f"validation_{metric}" in distilled[name]
        assert "int8" in exported[name]
        assert name in checkout.path("reports/index.html").read_text()
        assert name in checkout.path("reports/model-card.md").read_text()
    for name in ("mood", "themes", "names"):
        assert evaluated["tasks"][name]["teacher"] > evaluated["tasks"][name]["chance"] + 0.2, name
    fairness = evaluated["fairness"]["tasks"]
    assert set(fairness) == set(METRICS) - {"places"}
    for name in fairness:
        pair = fairness[name]["gender"]["pairs"]["women_to_men"]
        assert pair["statistical_parity_difference"]["student"]["rows"] > 5, name
    assert "counterfactual" in fairness["agrees"]["gender"]
    assert "Places has no audit of the models" in checkout.path("reports/index.html").read_text()
    predictions = read_table(checkout.path("data/predictions")).to_pylist()
    assert {row["task"] for row in predictions} == set(METRICS)
    assert "up to date" in checkout.run("dvc", "status")
