"""The whole pipeline runs for two tasks, on local files and with tiny models."""

import json

import pytest

from compactlm.artifacts import read_json, read_table
from tests.fixtures.checkout import GOOD, new_checkout, use_tiny_models

pytestmark = pytest.mark.pipeline


def test_all_stages_run_for_two_tasks(tmp_path, tiny_bert, tiny_texts):
    checkout = new_checkout(tmp_path / "checkout")
    checkout.run("compactlm", "preset", "smoke")
    content = checkout.params()
    # A tiny teacher can tell these rows apart. A sentence has different labels in the two tasks.
    reviews = [
        (f"{'she' if row % 3 else 'he'} said {text} {row}", "positive" if any(word in text for word in GOOD) else "negative")
        for row, text in enumerate(tiny_texts * 2)
    ]
    subjects = [
        (f"{text} {row}", next((kind for kind in ("film", "music") if kind in text), "other")) for row, text in enumerate(tiny_texts * 2)
    ]
    content["ingest"] = {
        "sources": {
            "reviews": checkout.write_csv("reviews", reviews),
            "subjects": checkout.write_csv("subjects", subjects),
            "notes": checkout.write_csv("notes", [(f"{text} in the notes {row}", "") for row, text in enumerate(tiny_texts)]),
        }
    }
    content["ingest"]["sources"]["notes"]["columns"] = {"text": "text"}
    content["tasks"] = {
        "sentiment": {"sources": ["reviews"], "labels": ["negative", "positive"], "metric": "accuracy"},
        "subject": {"sources": ["subjects"], "labels": ["film", "music", "other"], "metric": "accuracy"},
    }
    content["bias_audit"] |= {"protected": {"sentiment": ["gender"]}, "favorable_labels": {"sentiment": "positive"}}
    content["signals"]["task"]["unlabelled"] = ["notes"]
    content["evaluate"]["embedding"]["retrieval"] = []
    use_tiny_models(content, {"kind": "directory", "path": str(tiny_bert), "licence": "own"})
    checkout.write_params(content)
    checkout.run("dvc", "repro", HF_HUB_OFFLINE="1")

    def metrics(stage):
        return read_json(checkout.path("reports/metrics", f"{stage}.json"))

    tasks = {"sentiment": 2, "subject": 3}
    evaluated = metrics("evaluate")
    assert set(evaluated["tasks"]) == set(tasks)
    for task in evaluated["tasks"].values():
        assert task["rows"] > 30
        assert task["teacher"] > task["chance"]
    assert {task: set(audited) for task, audited in evaluated["fairness"]["tasks"].items()} == {"sentiment": {"gender"}, "subject": set()}
    assert tasks.keys() <= metrics("teacher").keys() & metrics("distill-train").keys() & metrics("signals").keys()
    assert {"mlm", "embedding", *tasks} == set(metrics("export"))
    predictions = read_table(checkout.path("data/predictions")).to_pylist()
    assert {row["task"]: len(row["student"]) for row in predictions} == tasks
    for name, labels in tasks.items():
        assert len(json.loads(checkout.path("models/student", name, "config.json").read_text())["id2label"]) == labels
        assert (checkout.path("models/export", name) / "onnx/model_quantized.onnx").is_file()
        assert name in checkout.path("reports/index.html").read_text()
        assert name in checkout.path("reports/model-card.md").read_text()
    checkout.run("dvc", "plots", "show", "--out", "dvc_plots")
    assert "subject" in checkout.path("dvc_plots/index.html").read_text()
    assert "up to date" in checkout.run("dvc", "status")
