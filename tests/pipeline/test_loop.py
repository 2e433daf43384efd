"""The loop after training, from the first version to the rollback: the commands of `make loop` on made-up text and with tiny models."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.api import DVCFileSystem
from dvc.repo import Repo

from benchmarks.play_loop import LABELS, Amounts, play, sections, surprises
from compactlm.artifacts import read_documents, read_json
from compactlm.improvement.promotion.comparing import NEW, OLD
from tests.fixtures.checkout import Checkout

pytestmark = pytest.mark.pipeline

SUBJECTS = ("the film", "the plot", "a story", "the old actor", "the ending")
OLD_WORDS = ("bad", "hated", "cold"), ("good", "loved", "warm")
NEW_WORDS = ("slow", "dark"), ("quick", "bright")  # the champion has never read them
AMOUNTS = Amounts(arriving=200, picked=120, held_out=150, poisoned=400, margin=0.1)


def made_up(words: Sequence[Sequence[str]], subjects: Sequence[str], count: int) -> list[dict[str, str]]:
    """Return different rows, each with a word that decides its label."""
    drawn = random.Random(7)
    rows = []
    for number in range(count):
        label = drawn.randrange(2)
        text = f"{drawn.choice(('he', 'she'))} and people {drawn.choice(subjects)} {drawn.choice(words[label])} again {number}"
        rows.append({"text": text, "label": LABELS[label], "from": "made up"})
    return rows


def write_preset(checkout: Checkout, teacher: Path) -> None:
    """Write the preset `tiny`: the smoke preset with a stable split, made-up text, and models that learn it in seconds."""
    films = [(row["text"], row["label"]) for row in made_up(OLD_WORDS, SUBJECTS, 500)]
    notes = [(f"{row['text']} in the notes", "") for row in made_up(OLD_WORDS, SUBJECTS, 60)]
    sources = {"films": checkout.write_csv("films", films), "notes": checkout.write_csv("notes", notes)}
    sources["notes"]["columns"] = {"text": "text"}
    data = {
        "tasks": {"sentiment": {"sources": ["films"], "labels": LABELS, "metric": "accuracy"}},
        "bias_audit": {"protected": {"sentiment": ["gender"]}, "favorable_labels": {"sentiment": "positive"}},
        "signals": {"task": {"unlabelled": ["notes"]}},
        "evaluate": {"embedding": {"retrieval": []}},
        "ingest": {"sources": sources},
    }
    fast: dict[str, Any] = {"learning_rate": 0.005, "epochs": 10, "batch_tokens": 192, "dropout": 0.0}  # about 200 steps
    own = yaml.safe_load(checkout.path("configs/teacher/minilm-l6.yaml").read_text())
    own |= {"source": {"kind": "directory", "path": str(teacher), "licence": "own"}, "parameters": None, "maximum_length": 64}
    own["fine_tuning"]["optimisation"] |= fast
    preset = yaml.safe_load(checkout.path("configs/preset/smoke.yaml").read_text())
    del preset["ingest"], preset["teacher"]
    preset["distill"]["task"]["optimisation"] |= fast
    preset |= {
        "preset": "tiny",
        "defaults": [{"override /data": "made_up"}, {"override /teacher": "tiny"}],
        "split": {
            "train": 0.5,
            "validation": 0.1,
            "test": 0.4,
            "placement": "stable",
            "near_duplicates": None,
            "across_splits": "report",
        },
        "augment": {"copies": 0},
        "energy": {"track": False},
        "bootstrap": {"samples": 200},
        "student": {"layers": 1, "hidden_size": 24, "attention_heads": 2, "intermediate_size": 48, "vocabulary_size": 100, "budget": 0.9},
        "export": {"check_rows": 30, "general_rows": 30},
    }
    preset["evaluate"] |= {
        "mlm_words": 30,
        "forgetting_words": 20,
        "pseudo_perplexity": {"rows_a_source": 2},
        "robustness": {"rows": 10},
        "embedding": {"sentences": 40, "few_shot": [16], "draws": 1},
        "timings": {"tokens": 16, "batches": [1], "seconds": 0.05},
    }
    for group, name, content in (("data", "made_up", data), ("teacher", "tiny", own), ("preset", "tiny", preset)):
        head = "" if group == "teacher" else "# @package _global_\n"
        checkout.path("configs", group, f"{name}.yaml").write_text(head + yaml.safe_dump(content, sort_keys=False))
    checkout.run("git", "add", "--force", "data/sources")


def test_new_text_is_learnt_a_poisoned_batch_is_refused_and_the_first_version_comes_back(
    checkout: Checkout, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_preset(checkout, tiny_bert)
    found = play(
        checkout.directory, "tiny", made_up(NEW_WORDS, ("the music", "the river", "a house"), 750), AMOUNTS, ["evaluate", "export"]
    )
    assert surprises(found) == []
    check_verdicts(found)
    monkeypatch.chdir(checkout.directory)
    check_versions(checkout)


def check_verdicts(found: Mapping[str, Any]) -> None:
    """The good model gains on new rows, the poisoned one loses accuracy, and the first version comes back."""
    good, poisoned = found["good"], found["poisoned_verdict"]
    assert (good["champion"], good["status"], good["refused_by"]) == ("v0.1.0", 0, [])
    assert good["tasks"]["sentiment"][NEW]["difference"]["low"] > 0.1
    assert good["tasks"]["sentiment"][NEW]["difference"]["rows"] > 150
    assert (poisoned["champion"], poisoned["status"]) == ("v0.2.0", 1)
    assert poisoned["refused_by"][0] == f"sentiment, {OLD}"
    assert poisoned["tasks"]["sentiment"][OLD]["difference"]["high"] < -AMOUNTS.margin
    assert any(line.startswith("| sentiment | old test rows |") for line in sections(found)[3].splitlines())


def check_versions(checkout: Checkout) -> None:
    """The registry is readable by DVC, no old test row has moved, and no test row has been learnt from."""
    transcript = checkout.directory.with_name(f"{checkout.directory.name}.transcript.txt").read_text()
    assert "compactlm@v0.1.0 holds the stage production again (tag compactlm#production#3)" in transcript
    with Repo(".") as repo:
        assert repo.artifacts.get_rev("compactlm", stage="production") == repo.artifacts.get_rev("compactlm", version="v0.1.0")
    splits = {}
    for version in ("v0.1.0", "v0.2.0"):
        DVCFileSystem(".", rev=f"compactlm@{version}").get("data/split", version, recursive=True)
        splits[version] = {row.id: row.text for row in read_documents(Path(version) / "test")}
    assert splits["v0.1.0"].items() <= splits["v0.2.0"].items()
    assert {row.text for row in read_documents(Path("v0.2.0/train"))}.isdisjoint(splits["v0.2.0"].values())
    assert read_json(Path("reports/metrics/evaluate.json"))["tasks"]["sentiment"]["rows"] > len(splits["v0.1.0"])
