import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import nltk
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from compactlm import artifacts
from compactlm.artifacts import DOCUMENT_SCHEMA, Document, derived_id
from compactlm.corpus.clean.cleaning import Cleaned, clean_metrics
from compactlm.corpus.clean.sentence_cutting import CutShard, sample_texts
from compactlm.params import Clean
from compactlm.text.punkt import find_abbreviations, learn_abbreviations
from tests.corpus.cleaned import SETTINGS, cleaned
from tests.fixtures.builders import make_row

SENTENCES = {"sources": ["wiki"], "language": "english", "characters": 100_000, "minimum_characters": 8}
NAMES = ("Smith", "Jones", "Brown", "Clark", "Green")
TEXTS = [
    f"The patient of Dr. {name} was seen in the rain. She paid approx. {day} dollars for it. It rained. Then prof. {name} left the house."
    if day % 2
    else f"The house of prof. {name} was wet. In the rain he saw the house, and it rained and was wet there. It cost approx. {day} dollars."
    for day, name in enumerate(NAMES * 12)
]


@pytest.fixture(autouse=True)
def no_data_of_nltk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nltk.data, "path", [])


def cut(directory: Path, rows: list[Document], shard_bytes: int = 100_000, **changed: Any) -> tuple[list[Document], Cleaned]:
    settings = {"sentences": SENTENCES, "maximum_characters": 10_000, "samples": 2} | changed
    return cleaned(directory, rows, shard_bytes, **settings)


def corpus() -> list[Document]:
    return [make_row(number * (2**128 // 100), text, "wiki") for number, text in enumerate(TEXTS)]


def test_abbreviations_are_learnt_from_the_corpus() -> None:
    known = set(learn_abbreviations(TEXTS))
    assert {"dr", "approx", "prof"} <= known
    assert not {"house", "it", "rained"} & known


def test_the_first_sentence_keeps_the_queries_of_its_row(tmp_path: Path) -> None:
    rows = [
        *corpus(),
        make_row(2, "No. The house was wet in the rain. It rained all day.", "wiki", queries=("was it wet?",)),
        make_row(3, "It rained all night, too.", "wiki", queries=("did it rain?",)),
    ]
    found, _ = cut(tmp_path, rows)
    asked = {row.text: row.queries for row in found if row.queries}
    assert asked == {"The house was wet in the rain.": ("was it wet?",), "It rained all night, too.": ("did it rain?",)}


def test_rows_become_sentences_of_the_same_document(tmp_path: Path) -> None:
    rows = [
        *corpus(),
        make_row(2, "Two. Sentences are in it, for certain.", source="tweets"),
        make_row(3, "It was Dr. No. He fell.", "wiki", "good"),
    ]
    found, result = cut(tmp_path, rows)
    whole = {document.text: document for document in found if document.source == "tweets" or document.label}
    assert set(whole) == {rows[-2].text, rows[-1].text}
    paid = next(document for document in found if document.text == "She paid approx. 1 dollars for it.")
    assert (paid.document, paid.id) == (rows[1].document, derived_id(rows[1].id, 1, paid.text))
    texts = {document.text for document in found}
    assert {"It rained.", *(f"The patient of Dr. {name} was seen in the rain." for name in NAMES)} <= texts
    assert {f"Then prof. {name} left the house." for name in NAMES} <= texts
    metrics: Any = clean_metrics(result)
    assert metrics["punkt_trained"] == 1
    wiki = metrics["sources"]["wiki"]
    # 30 texts have three sentences, and 30 have four. "It rained." and another sentence occur several times; one copy is kept.
    assert (wiki["rows"], wiki["added"]) == (61, 30 * 2 + 30 * 3)
    assert wiki["dropped"]["duplicate"] > 29
    assert wiki["kept"] + sum(wiki["dropped"].values()) == wiki["rows"] + wiki["added"]
    assert metrics["sources"]["tweets"]["added"] == 0
    assert len({document.id for document in found}) == len(found)


def test_short_sentences_are_dropped_counted_and_shown(tmp_path: Path) -> None:
    _, result = cut(tmp_path, corpus(), sentences={**SENTENCES, "minimum_characters": 11})
    assert result.dropped["wiki"]["too_short"] == 30
    assert [text for _, text in result.samples["wiki too_short"]] == ["It rained."] * 2


def test_the_size_of_the_shards_changes_nothing_and_finished_shards_are_not_cut_again(tmp_path: Path) -> None:
    written = []
    for size in (100_000, 900):
        _, result = cut(tmp_path / str(size), corpus(), size)
        written.append(([path.read_bytes() for path in artifacts.parts(tmp_path / str(size) / "out")], clean_metrics(result)))
    assert written[0] == written[1]
    shards = sorted((tmp_path / "900/work/sentences").glob("*.parquet"))
    assert len(shards) > 4
    before = [shard.stat().st_mtime_ns for shard in shards]
    cut(tmp_path / "900", corpus(), 900)
    assert [shard.stat().st_mtime_ns for shard in shards] == before
    cut(tmp_path / "900", corpus(), 900, sentences={**SENTENCES, "characters": 200})  # Punkt learns from other texts
    assert all(shard.stat().st_mtime_ns > time for shard, time in zip(shards, before, strict=True))


@pytest.mark.slow
def test_learning_does_not_depend_on_the_order_of_sets() -> None:
    script = f"import json\nfrom compactlm.text.punkt import learn_abbreviations\nprint(json.dumps(learn_abbreviations({TEXTS!r})))"
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
        assert done.stdout == json.dumps(learn_abbreviations(TEXTS)).encode() + b"\n"


def test_punkt_learns_from_few_texts_whose_choice_does_not_depend_on_the_shards(tmp_path: Path) -> None:
    artifacts.write_documents(tmp_path / "a", corpus())
    artifacts.write_documents(tmp_path / "b", corpus()[:20])
    artifacts.write_documents(tmp_path / "c", corpus()[20:])
    one = sample_texts(artifacts.parts(tmp_path / "a"), ["wiki"], 1_000, 1)
    two = sample_texts([*artifacts.parts(tmp_path / "c"), *artifacts.parts(tmp_path / "b")], ["wiki"], 1_000, 1)
    assert one == two
    assert 1_000 <= sum(map(len, one)) < 1_000 + max(map(len, TEXTS))
    assert one != sample_texts(artifacts.parts(tmp_path / "a"), ["wiki"], 1_000, 2)
    assert sample_texts(artifacts.parts(tmp_path / "a"), ["other"], 1_000, 1) == []


def test_the_data_of_nltk_are_used_if_they_are_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "data/tokenizers/punkt_tab/english"
    directory.mkdir(parents=True)
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path / "data")])
    files = {
        "collocations.tab": "of\tthe\n",
        "sent_starters.txt": "she\n",
        "abbrev_types.txt": "hut\n",
        "ortho_context.tab": "hut\t42\n",
    }
    for name, content in files.items():
        assert find_abbreviations("english") is None
        (directory / name).write_text(content)
    found, result = cut(tmp_path, [*corpus(), make_row(1, "We all saw the hut. Smith saw the house. Jones left.", "wiki")])
    assert result.punkt_trained is False
    assert {"We all saw the hut. Smith saw the house.", "Jones left."} <= {document.text for document in found}


def test_punkt_learns_nothing_without_texts() -> None:
    assert learn_abbreviations([]) == []


TOKENS = ["Dr.", "It", "rained.", "approx.", "3.14", "?!", '"Yes."', "\u2026", "no", "(So.)", "A.", "."]


@given(st.lists(st.sampled_from(TOKENS), max_size=12))
def test_cutting_keeps_every_character(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    text = " ".join(["Some", *words])
    model = tmp_path_factory.mktemp("cut") / "abbreviations.json"
    artifacts.write_json(model, learn_abbreviations(TEXTS))
    cells = [{name: getattr(make_row(1, text, "wiki"), name) for name in DOCUMENT_SCHEMA.names}]
    result, report = CutShard(model, str(model), ("wiki",), 1, 1, 0)(pa.Table.from_pylist(cells, DOCUMENT_SCHEMA))
    sentences = result["text"].to_pylist()
    assert all(sentence in text for sentence in sentences)
    assert Counter("".join("".join(sentences).split())) == Counter("".join(text.split()))
    assert len(sentences) == 1 + report.added.get("wiki", {}).get("sentences", 0)
    assert result["id"].to_pylist() == sorted(set(result["id"].to_pylist()))


def test_a_profile_that_removes_full_stops_is_refused() -> None:
    with pytest.raises(ValidationError, match="full stops"):
        Clean(**SETTINGS | {"sentences": SENTENCES, "profile": "bag-of-words"})
