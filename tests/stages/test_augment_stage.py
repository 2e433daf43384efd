import json
from types import SimpleNamespace

import pytest
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification, BertTokenizer

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.params import Augment, DiversityFigures, Task
from compactlm.stages import augment
from compactlm.teacher import nearest_words
from tests.fixtures.builders import make_config, make_row

WORDS = ["the", "film", "is", "good", "bad", "warm", "long", "very", "quite", "separate", "because", "story", "actors", "it", "people"]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, ".", ","]
EQUAL = dict.fromkeys(("synonym", "insert", "swap", "delete", "spelling"), 0.2)


def make_params(copies, reserved=(), labels="report", processes=1, synonyms="masked_words", shares=EQUAL):
    return SimpleNamespace(
        seed=3,
        threads=1,
        data=SimpleNamespace(processes=processes),
        precision="fp32",
        augment=Augment(copies=copies, synonyms=synonyms, shares=shares, share_of_words=0.2, reserved=list(reserved), labels=labels),
        bias_audit=SimpleNamespace(
            attributes={
                "size": SimpleNamespace(found_in="text", groups={"long": ["long"], "warm": ["warm"]}),
                "kind": SimpleNamespace(found_in="column", groups={"yes": ["film"], "no": ["people"]}),
            }
        ),
        diversity=DiversityFigures(words=100, window=20, bleu_texts=10, bleu_words=10),
        batch_tokens=256,
        teacher=SimpleNamespace(maximum_length=32),
        tasks={"sentiment": Task(sources=["reviews"], labels=["negative", "positive"])},
    )


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        make_row(n, f"the film is {word}, because people separate it.", "reviews", label)
        for n, (word, label) in enumerate([("good", "positive"), ("bad", "negative"), ("warm", "positive"), ("long", "negative")] * 5)
    ]
    rows.append(make_row("f" * 32, "the story is long.", "wiki"))
    artifacts.write_documents(artifacts.SPLIT / "train", rows)
    tokenizer = BertTokenizer(vocab={token: number for number, token in enumerate(TOKENS)})
    torch.manual_seed(0)
    for name, model in (("base", BertForMaskedLM), ("sentiment", BertForSequenceClassification)):
        model(make_config(vocab_size=len(TOKENS))).save_pretrained(artifacts.TEACHER / name)
        tokenizer.save_pretrained(artifacts.TEACHER / name)
    return tmp_path


def test_two_runs_write_the_same_copies_metrics_and_samples(workspace):
    augment.main(make_params(2))
    [shard] = artifacts.AUGMENTED.glob("*.parquet")
    first = shard.read_bytes()
    copies = artifacts.read_documents(artifacts.AUGMENTED)
    metrics = json.loads((workspace / "reports/metrics/augment.json").read_text())
    assert (metrics["rows"], metrics["requested"]) == (20, 40)
    assert metrics["copies"] == len(copies) == 40 - sum(metrics["dropped"].values()) > 25
    assert metrics["agreement"]["sentiment"]["share"]["rows"] == len(copies)
    assert 0 <= metrics["agreement"]["sentiment"]["share"]["value"] <= 1
    assert set(metrics["changed_words"]) == {name for name, count in metrics["by_augmenter"].items() if count}
    assert all(found["rows"] == metrics["by_augmenter"][name] for name, found in metrics["changed_words"].items())
    assert metrics["wordnet"] in (0, 1)
    assert {copy.parent for copy in copies} <= {f"{n:032x}" for n in range(20)}
    lines = (workspace / "reports/samples/augmented.tsv").read_text().splitlines()
    assert lines[0] == "parent\taugmenter\tcopy"
    assert len(lines) == 11
    assert all(line.count("\t") == 2 for line in lines)
    augment.main(make_params(2))
    assert shard.read_bytes() == first


@pytest.mark.slow
def test_copies_that_the_teacher_labels_differently_are_dropped_and_counted(workspace):
    augment.main(make_params(2))
    everything = artifacts.read_documents(artifacts.AUGMENTED)
    augment.main(make_params(2, labels="keep"))
    kept = artifacts.read_documents(artifacts.AUGMENTED)
    metrics = json.loads((workspace / "reports/metrics/augment.json").read_text())
    share = metrics["agreement"]["sentiment"]["share"]["value"]  # of all copies, before any is dropped
    assert len(kept) == round(share * len(everything)) == metrics["copies"]
    assert metrics["requested"] == 40 == metrics["copies"] + sum(metrics["dropped"].values())
    assert metrics["dropped"]["label_changed"] == len(everything) - len(kept) > 0
    assert {copy.id for copy in kept} < {copy.id for copy in everything}
    assert metrics["diversity"]["after"]["rows"] == 20 + len(kept)
    assert metrics["diversity"]["before"]["rows"] == 20


def test_group_terms_in_text_are_reserved_and_values_of_a_column_are_not(workspace):
    augment.main(make_params(3, reserved=["protected"]))
    originals = {f"{n:032x}": word for n, word in enumerate(["good", "bad", "warm", "long"] * 5)}
    copies = artifacts.read_documents(artifacts.AUGMENTED)
    for word in ("long", "warm"):
        assert all(copy.text.count(word) == (originals[copy.parent] == word) for copy in copies)
    for value in ("film", "people"):
        assert any(value not in copy.text.split() for copy in copies)


@pytest.mark.parametrize("synonyms", ["nearest_words", "masked_words"])
def test_a_teacher_without_a_head_has_near_words_and_no_masked_words(workspace, monkeypatch, synonyms):
    monkeypatch.setattr(nearest_words, "FREQUENT", 0)
    monkeypatch.setattr(nearest_words, "LEAST_COSINE", 0.001)
    directory = artifacts.TEACHER / artifacts.BASE
    BertForMaskedLM.from_pretrained(directory).bert.save_pretrained(directory)
    params = make_params(2, synonyms=synonyms, shares={"synonym": 1.0})
    if synonyms == "masked_words":
        with pytest.raises(CompactLMError, match=r"augment\.synonyms is masked_words, but .* has no masked-language-model head; set"):
            augment.main(params)
        return
    augment.main(params)
    copies = artifacts.read_documents(artifacts.AUGMENTED)
    originals = {row.id: row.text for row in artifacts.read_documents(artifacts.SPLIT / "train")}
    assert len(copies) > 10
    for copy in copies:
        pairs = list(zip(originals[copy.parent].split(), copy.text.split(), strict=True))
        assert 0 < sum(old != new for old, new in pairs) <= 2
        assert all(new.strip(",.") in WORDS for _, new in pairs)


def test_no_copies_need_no_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    augment.main(make_params(0))
    assert artifacts.read_documents(artifacts.AUGMENTED) == []
    assert json.loads((tmp_path / "reports/metrics/augment.json").read_text()) == {"copies": 0, "wordnet": 0}
