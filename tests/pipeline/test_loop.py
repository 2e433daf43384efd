"""The loop after training, from the first version to the rollback: the commands of `make loop` on fewer rows."""

import json
import os
from pathlib import Path

import pytest
from dvc.api import DVCFileSystem
from dvc.repo import Repo

from benchmarks.play_loop import Amounts, play
from compactlm.artifacts import read_documents
from compactlm.improvement.promotion.comparing import NEW, OLD
from compactlm.improvement.registry import FETCHED
from tests.fixtures.checkout import Checkout

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif(
        "COMPACTLM_LONG_TESTS" not in os.environ, reason="trains three times, more than ten minutes; set COMPACTLM_LONG_TESTS=1 to run it"
    ),
]


def test_new_text_is_learnt_a_poisoned_batch_is_refused_and_the_first_version_comes_back(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path.parent / f"{tmp_path.name}-loop" / "project"
    found = play(checkout.directory, directory, "loop", Amounts(arriving=800, poisoned=400))
    good, poisoned = found["good"], found["poisoned_verdict"]
    assert (good["champion"], good["status"], good["refused_by"]) == ("v0.1.0", 0, [])
    assert good["tasks"]["sentiment"][NEW]["difference"]["low"] > 0
    assert poisoned["champion"] == "v0.2.0"
    assert poisoned["status"] == 1
    assert poisoned["refused_by"][0].startswith(f"sentiment, {OLD}")
    transcript = (directory.parent / "project.transcript.txt").read_text()
    assert "compactlm@v0.1.0 holds the stage production again (tag compactlm#production#3)" in transcript
    # The registry is readable by DVC, and no old test row has moved.
    monkeypatch.chdir(directory)
    with Repo(".") as repo:
        assert repo.artifacts.get_rev("compactlm", stage="production") == repo.artifacts.get_rev("compactlm", version="v0.1.0")
    [before] = [one for one in FETCHED.iterdir() if one.name == str(Repo(".").artifacts.get_rev("compactlm", version="v0.1.0"))]
    DVCFileSystem(".", rev="compactlm@v0.2.0").get("data/split", "second", recursive=True)
    splits = {name: {row.id: row.text for row in read_documents(Path(name) / "test")} for name in (f"{before}/data/split", "second")}
    first, second = splits.values()
    assert first.items() <= second.items()
    learnt = {row.text for row in read_documents(Path("second/train"))}
    assert learnt.isdisjoint(first.values())
    assert json.loads(Path("reports/metrics/evaluate.json").read_text())["tasks"]["sentiment"]["rows"] >= 1_000
