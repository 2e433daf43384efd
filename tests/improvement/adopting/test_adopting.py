"""adopt on a real git and DVC repository: sources, params.yaml, rows that are kept out, and removal."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from compactlm.artifacts import RAW, read_documents, write_documents
from compactlm.corpus.duplicates.placing import place
from compactlm.corpus.ingest.removed import read_removed
from compactlm.corpus.ingest.sources import read_sources
from compactlm.improvement.adopting.sources import corpus_id, read_source
from compactlm.improvement.registry import assign, read_registry, register
from compactlm.improvement.rows import row_id
from compactlm.params import Ingest, Params, read_params
from compactlm.presets import compose, without_head
from compactlm.shards.gathering import gather
from tests.fixtures.builders import scattered_row
from tests.improvement.conftest import BAD, GOOD, Project, git, rows

PRESET = Path("configs/preset/default.yaml")
TEST = [
    scattered_row("t", "a film that was fine in each of its many scenes", "movie_reviews", GOOD, task="sentiment"),
    *rows("fine", GOOD, 60),
    *rows("poor", BAD, 60),
]
TRAIN = [*rows("nice", GOOD, 20), *rows("awful", BAD, 20)]


@pytest.fixture
def stable(project: Project, cli) -> Project:
    """A project whose version in use was trained with a stable split."""
    PRESET.write_text(PRESET.read_text() + "split: {placement: stable}\n")
    Path("params.yaml").write_text(compose("default"))
    project.train(["fine", "nice"], TRAIN, TEST)
    assert cli("promote", "--first")[0] == 0
    return project


def write(name: str, cells: Sequence[dict[str, Any]]) -> str:
    Path(name).write_text("".join(json.dumps(cell) + "\n" for cell in cells))
    return name


def texts(source: str) -> list[str]:
    return sorted(row.text for row in read_source(source))


NEW = [{"text": f"sturdy thing number {number}", "label": GOOD, "picked_by": "margin"} for number in range(8)]
NEW += [{"text": f"broken thing number {number}", "label": BAD, "picked_by": "random"} for number in range(6)]


def test_rows_become_sources_of_the_composed_parameters_and_random_ones_join_the_test_set(stable: Project, cli) -> None:
    status, output, errors = cli("adopt", write("new.jsonl", NEW))
    assert errors == ""
    assert status == 0
    assert output.startswith("8 rows join the train rows of sentiment, and 6 its test set.\n")
    assert Path("params.yaml").read_text() == compose("default")
    params = read_params()
    assert params.tasks["sentiment"].sources == ["movie_reviews", "adopted_sentiment", "held_out_sentiment"]
    assert params.split.sources == {"adopted_sentiment": "train", "held_out_sentiment": "test"}
    assert texts("held_out_sentiment") == sorted(cell["text"] for cell in NEW[8:])
    assert "data/sources/adopted_sentiment.jsonl.dvc" in git("status", "--porcelain", "--untracked-files=all")
    found = corpus_of(params)
    assert {(row.text, row.label) for row in found} == {(cell["text"], cell["label"]) for cell in NEW}
    assert all(row.id == corpus_id(row.source, row.text) for row in found)
    homes = place(pa.array([0] * len(found), pa.uint64()).to_numpy(), [row.source for row in found], params.split)
    assert {row.source: int(home) for row, home in zip(found, homes, strict=True)} == {"adopted_sentiment": 0, "held_out_sentiment": 2}
    # A second file adds to the first. A row with another label is corrected, and equal rows are counted.
    more = [{"text": "a useful tool", "label": GOOD}, {**NEW[0], "label": BAD}, NEW[1]]
    output = cli("adopt", write("more.jsonl", more), "--held-out", "--weight", "3")[1]
    assert output.startswith(
        "0 rows join the train rows of sentiment, and 1 its test set.\n1 rows that were adopted before have a new label.\n1 rows are"
    )
    assert {row.text: row.label for row in read_source("adopted_sentiment")}[NEW[0]["text"]] == BAD
    assert read_params().tasks == params.tasks
    assert read_params().split.weights == {"adopted_sentiment": 3}


def corpus_of(params: Params) -> list[Any]:
    """Read the sources of adopted rows as the stage ingest does."""
    own = {name: source for name, source in params.ingest.sources.items() if name.endswith("_sentiment")}
    task = params.tasks["sentiment"].model_copy(update={"sources": sorted(own)})
    extracts = read_sources(Ingest(sources=own), {"sentiment": task}, 0, Path(".cache/work"), 10_000)
    gather([shard for one in extracts.values() for shard in one.shards], Path(".cache/raw"))
    return read_documents(Path(".cache/raw"))


def test_rows_like_held_out_rows_and_contradictions_are_kept_out_and_counted(stable: Project, cli) -> None:
    cells = [
        {"text": "A film that was fine, in each of its many scenes!!", "label": GOOD},  # the text of a test row
        {"text": "so a film that was fine in each of its many scenes", "label": BAD},  # like it
        {"text": "NICE movie_reviews number 3", "label": GOOD},
        {"text": "nice movie_reviews number 4", "label": BAD},
        {"text": "a thing of its own", "label": GOOD},
        {"text": "A thing of its own.", "label": GOOD},
        {"text": "x", "label": GOOD},
        {"text": "", "label": GOOD},
    ]
    params = Path("configs/config.yaml")
    params.write_text(
        params.read_text().replace(
            "threshold: 0.8, permutations: 128, unit: words, size: 3", "threshold: 0.6, permutations: 128, unit: words, size: 2"
        )
    )
    Path("params.yaml").write_text(compose("default"))
    status, output, errors = cli("adopt", write("new.jsonl", cells))
    assert errors == ""
    assert status == 0
    assert output.splitlines()[:7] == [
        "1 rows join the train rows of sentiment, and 0 its test set.",
        "1 rows are kept out: dropped by cleaning.",
        "1 rows are kept out: in the corpus with another label.",
        "2 rows are kept out: in the corpus with the same label.",
        "1 rows are kept out: like a row of test or validation.",
        "1 rows are kept out: repeated in the file.",
        "1 lines have no text or no label.",
    ]
    assert f"another label in the corpus: {row_id('nice movie_reviews number 4')[:8]}" in output
    # A row that should join the test set must not be like any row that was learnt from.
    output = cli("adopt", write("exam.jsonl", [{"text": "so nice movie_reviews number 5", "label": GOOD}]), "--held-out")[1]
    assert "1 rows are kept out: like a row that is in the corpus." in output


def test_labels_that_a_cross_fitted_classifier_doubts_are_listed(stable: Project, cli) -> None:
    cells = [{"text": f"nice thing {number}", "label": GOOD} for number in range(12)]
    cells += [{"text": f"awful thing {number}", "label": BAD} for number in range(12)]
    cells.append({"text": "an awful and awful one", "label": GOOD})
    output = cli("adopt", write("new.jsonl", cells))[1]
    assert "A classifier that has not seen them answers differently for 4.0" in output
    [doubtful] = [line for line in output.splitlines() if line.startswith("doubtful: ")]
    assert "'an awful and awful one' (positive; cross-fitted: negative, " in doubtful


def test_a_version_in_use_without_a_stable_split_is_refused_with_the_way_out(project: Project, cli) -> None:
    file = write("new.jsonl", NEW)
    project.train(["fine"], TRAIN, TEST)
    status, _, errors = cli("adopt", file)
    assert status == 1
    assert "split.placement is stratified, so new rows would move rows" in errors
    assert cli("promote", "--first")[0] == 0
    PRESET.write_text(PRESET.read_text() + "split: {placement: stable}\n")
    Path("params.yaml").write_text(compose("default"))
    errors = cli("adopt", file)[2]
    assert errors.startswith("compactlm: compactlm@v0.1.0 was trained without split.placement stable, so new rows would move rows between")
    assert errors.endswith("set split: {placement: stable} in the preset, train and promote a version with it, and then adopt the rows\n")
    assert not Path("data/sources").exists()


def test_a_version_in_use_that_is_older_than_the_parameter_is_refused_with_the_way_out(stable: Project, cli) -> None:
    stable_text = Path("params.yaml").read_text()
    older = yaml.safe_load(stable_text)
    del older["split"]["placement"]
    Path("params.yaml").write_text(yaml.safe_dump(older))
    git("commit", "--quiet", "--all", "--message", "An older version")
    register("v0.2.0", "for the test")
    assign(read_registry().named("v0.2.0"), "production", "for the test")
    Path("params.yaml").write_text(stable_text)
    assert "compactlm@v0.2.0 was trained without split.placement stable, so new rows would move" in cli("adopt", write("new.jsonl", NEW))[2]


def test_rows_of_two_batches_with_the_same_ids_are_other_rows(stable: Project, cli) -> None:
    for text, label in (("a useful tool", GOOD), ("a useless tool", BAD)):
        assert "1 rows join the train rows" in cli("adopt", write("new.jsonl", [{"id": 1, "text": text, "label": label}]))[1]
    assert [(row.text, row.label) for row in read_source("adopted_sentiment")] == sorted(
        [("a useful tool", GOOD), ("a useless tool", BAD)], key=lambda one: row_id(one[0])
    )


def test_other_places_own_values_and_wrong_calls_are_refused_without_a_change(stable: Project, cli) -> None:
    before = Path("params.yaml").read_text()
    file = write("new.jsonl", NEW)
    Path("params.yaml").write_text(before.replace("precision: fp32", "precision: bf16"))
    assert "params.yaml has values of its own, which composing it again" in cli("adopt", file)[2]
    PRESET.write_text(PRESET.read_text() + "seed: 18\n")
    Path("params.yaml").write_text(compose("default"))
    assert cli("adopt", file)[2].startswith("compactlm: seed was 17 for compactlm@v0.1.0 and is 18 now, which moves rows")
    PRESET.write_text(PRESET.read_text().replace("seed: 18\n", ""))
    Path("params.yaml").write_text(before)
    assert cli("adopt")[2] == cli("adopt", file, "--remove", "x")[2] == "compactlm: pass either a labelled file, or --remove ID\n"
    assert cli("adopt", file, "--task", "topic")[2].startswith("compactlm: params.yaml has no task 'topic'")
    assert "'great' is no label of the task" in cli("adopt", write("wrong.jsonl", [{"text": "x", "label": "great"}]))[2]
    assert without_head(Path("params.yaml").read_text()) == without_head(before)
    assert git("status", "--porcelain", "--untracked-files=no") == ""


def test_a_removed_row_leaves_the_next_training_and_a_record_names_the_versions_that_saw_it(stable: Project, cli) -> None:
    assert cli("adopt", write("new.jsonl", NEW))[0] == 0
    adopted = read_source("adopted_sentiment")
    write_documents(RAW, [*TRAIN, *TEST])
    stable.train(["fine", "nice"], [*TRAIN, scattered_row("a", adopted[0].text, "adopted_sentiment", GOOD)], TEST)
    assert cli("promote")[0] == 1  # there is nothing to gain, so the version is registered by hand
    register("v0.2.0", "for the test")
    status, output, errors = cli("adopt", "--remove", adopted[0].id)
    assert errors == ""
    assert status == 0
    assert output.splitlines()[:3] == [
        "1 rows with this text are removed; the next `dvc repro` does not see them.",
        "v0.1.0: not seen",
        "v0.2.0: seen in train",
    ]
    assert adopted[0].text not in texts("adopted_sentiment")
    assert corpus_id("adopted_sentiment", adopted[0].text) in read_removed()
    assert cli("adopt", "new.jsonl")[1].count("1 rows are kept out: removed at a person's request.") == 1
    assert (
        cli("adopt", write("again.jsonl", [{"text": f"{adopted[0].text.upper()}!", "label": GOOD}]))[1].count("at a person's request.") == 1
    )
    # A row of any other source, by its id in data/raw.
    output = cli("adopt", "--remove", TEST[0].id)[1]
    stable.train(["fine", "nice"], TRAIN, TEST[1:])
    assert cli("adopt", write("again.jsonl", [{"text": TEST[0].text, "label": GOOD}]))[1].count("at a person's request.") == 1
    assert "v0.1.0: seen in test\nv0.2.0: seen in test\n" in output
    assert TEST[0].id in read_removed()
    record = Path("reports/loop/removals.jsonl").read_text()
    assert [json.loads(line)["versions"] for line in record.splitlines()] == [
        {"v0.1.0": "not seen", "v0.2.0": "train"},
        {"v0.1.0": "test", "v0.2.0": "test"},
    ]
    assert TEST[0].text not in record
    assert "thing" not in record
    assert cli("adopt", "--remove", "f" * 32)[2].startswith("compactlm: no adopted row and no row of data/raw has the id")


def test_the_last_row_of_a_source_takes_the_source_with_it(stable: Project, cli) -> None:
    cli("adopt", write("new.jsonl", [{"text": "a useful tool", "label": GOOD}]))
    assert "adopted_sentiment" in Path("params.yaml").read_text()
    assert cli("adopt", "--remove", row_id("a useful tool"))[0] == 0
    assert "adopted_sentiment" not in Path("params.yaml").read_text()
    assert list(Path("data/sources").iterdir()) == []
