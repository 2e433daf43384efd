"""The bert-base preset on local directories in the hub's format, with the hub off."""

from __future__ import annotations

import pytest
import yaml
from datasets import Dataset
from pipeline_checkout import new_checkout

from compactlm.artifacts import read_json

pytestmark = pytest.mark.pipeline


def test_the_preset_runs_on_local_directories(tmp_path, tiny_bert, tiny_texts):
    checkout = new_checkout(tmp_path / "checkout")
    checkout.run("compactlm", "preset", "bert-base")
    content = yaml.safe_load(checkout.path("params.yaml").read_text())
    hub = {name: source for name, source in content["ingest"]["sources"].items() if source["kind"] == "hub"}
    assert set(hub) == {"wikipedia", "opensubtitles", "cnn_dailymail"}
    for name, source in hub.items():
        directory = checkout.path("data/sources", name)
        directory.mkdir(parents=True)
        texts = [f"{text} in {name} {row}" for row, text in enumerate(tiny_texts)]
        columns = {source["columns"]["text"]: texts}
        if source["columns"]["document"] is not None:
            columns[source["columns"]["document"]] = [str(row // 2) for row in range(len(texts))]
        Dataset.from_dict(columns).to_parquet(directory / "train-00000-of-00001.parquet")
        source |= {"dataset": str(directory.relative_to(checkout.directory)), "name": None}
    # Rows that a tiny teacher can tell apart: evaluate refuses a model that gives all of them one label.
    good = ("good", "loved", "warm")
    reviews = [
        f'"{text} {row}",{"positive" if any(word in text for word in good) else "negative"}' for row, text in enumerate(tiny_texts * 2)
    ]
    checkout.path("data/sources/reviews.csv").write_text("text,label\n" + "\n".join(reviews) + "\n")
    content["ingest"]["sources"]["movie_reviews"] = {
        "kind": "files",
        "path": "data/sources/reviews.csv",
        "format": "csv",
        "header": True,
        "encoding": "utf-8",
        "sha256": None,
        "version": "1",
        "columns": {"text": "text", "document": None, "label": {"column": "label", "names": None}, "attributes": {}},
        "limit": None,
        "licence": "own",
        "homepage": "none",
    }
    for section in (content["teacher"]["fine_tuning"], content["distill"]["task"]):
        section["optimisation"] |= {"learning_rate": 0.005, "epochs": 16, "dropout": 0.0}
    content["teacher"] |= {"parameters": None}
    content["teacher"]["source"]["model"] = str(tiny_bert)
    content["student"] |= {
        "layers": 1,
        "hidden_size": 24,
        "attention_heads": 2,
        "intermediate_size": 48,
        "vocabulary_size": 100,
        "budget": 0.9,
    }
    content["teacher"]["maximum_length"] = content["tokenize"]["maximum_length"] = 64
    content["signals"]["layers"] = [0, 2]  # of the tiny teacher
    content["precision"] = "fp32"
    content["evaluate"]["timings"] |= {"batches": [1, 2], "seconds": 0.2}  # as in the smoke preset: bert-base's own shape takes long
    checkout.path("params.yaml").write_text(yaml.safe_dump(content))
    checkout.run("dvc", "repro", HF_HUB_OFFLINE="1")
    evaluated = read_json(checkout.path("reports/metrics/evaluate.json"))
    assert evaluated["tasks"]["sentiment"]["rows"] > 30
    assert read_json(checkout.path("reports/metrics/teacher.json"))["fitted_mlm_head"] == 0
    for name in hub:
        assert name in checkout.path("reports/data-card.md").read_text()
