"""The bert-base preset runs on local directories in the hub's format, without the hub."""

import pytest
from datasets import Dataset

from compactlm.artifacts import read_json
from tests.fixtures.checkout import GOOD, new_checkout, use_tiny_models

pytestmark = pytest.mark.pipeline


def test_the_preset_runs_on_local_directories(tmp_path, tiny_bert, tiny_texts):
    checkout = new_checkout(tmp_path / "checkout")
    checkout.run("compactlm", "preset", "bert-base")
    content = checkout.params()
    sources = content["ingest"]["sources"]
    hub = {name: source for name, source in sources.items() if source["kind"] == "hub"}
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
    # A tiny teacher can tell these rows apart. The evaluate stage refuses a model that gives all rows one label.
    labels = ["positive" if any(word in text for word in GOOD) else "negative" for text in tiny_texts]
    reviews = [(f"{text} {row}", label) for row, (text, label) in enumerate(zip(tiny_texts * 2, labels * 2, strict=True))]
    sources["movie_reviews"] = checkout.write_csv("reviews", reviews)
    use_tiny_models(content, content["teacher"]["source"] | {"model": str(tiny_bert)})
    content["signals"]["layers"] = [0, 2]  # the tiny teacher has 2 layers, fewer than the preset asks for
    checkout.write_params(content)
    checkout.run("dvc", "repro", HF_HUB_OFFLINE="1")
    evaluated = read_json(checkout.path("reports/metrics/evaluate.json"))
    assert evaluated["tasks"]["sentiment"]["rows"] > 30
    assert read_json(checkout.path("reports/metrics/teacher.json"))["mlm"]["top1"]["rows"]
    for name in hub:
        assert name in checkout.path("reports/data-card.md").read_text()
