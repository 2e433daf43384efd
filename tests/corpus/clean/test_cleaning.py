import random
from pathlib import Path
from typing import Any

import pytest

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.corpus.clean.cleaning import ALWAYS_COUNTED, clean_metrics, sample_rows
from compactlm.corpus.clean.filters.personal.placeholders import PLACEHOLDERS
from compactlm.errors import CompactLMError
from tests.corpus.cleaned import cleaned
from tests.fixtures.builders import scattered_row


def corpus() -> list[Document]:
    rng = random.Random(2)
    texts = ["<b>film {}</b>", "{}", "Film {}", "long {} " * 20, "write to a{}@b.example"]
    return [scattered_row(number, rng.choice(texts).replace("{}", str(number % 60)), rng.choice("st")) for number in range(400)]


def test_metrics_count_by_source_and_reason(tmp_path: Path) -> None:
    rows = [
        scattered_row(1, "some text"),
        scattered_row(2, "Some  text"),
        scattered_row(3, "x", source="u"),
        scattered_row(4, "long <b>enough</b>", source="u"),
    ]
    _, result = cleaned(tmp_path, rows)
    metrics: Any = clean_metrics(result)
    none = dict.fromkeys(ALWAYS_COUNTED, 0)
    unmasked = dict.fromkeys(PLACEHOLDERS, 0)
    assert metrics["sources"] == {
        "s": {"rows": 2, "kept": 1, "characters": 9, "dropped": none | {"duplicate": 1}, "masked": unmasked},
        "u": {"rows": 2, "kept": 1, "characters": 11, "dropped": none | {"too_short": 1}, "masked": unmasked},
    }
    assert metrics["total"]["dropped"] == none | {"duplicate": 1, "too_short": 1}
    assert [metrics["total"][name] for name in ("rows", "kept", "characters", "masked")] == [4, 2, 20, unmasked]
    assert sample_rows(result.samples) == [("s", "duplicate", result.samples["s duplicate"][0][1]), ("u", "too_short", "x")]


@pytest.mark.parametrize("profile", ["bert", "thorough"])
def test_the_size_of_the_shards_changes_nothing(tmp_path: Path, profile: str) -> None:
    results = []
    for shard_bytes in (100_000, 700):
        _, result = cleaned(tmp_path / str(shard_bytes), corpus(), shard_bytes, profile=profile, samples=2)
        content = [path.read_bytes() for path in artifacts.parts(tmp_path / str(shard_bytes) / "out")]
        results.append((content, clean_metrics(result), result.samples))
    assert len(list((tmp_path / "700" / "work" / "in").iterdir())) > 4
    assert results[0] == results[1]
    total: Any = results[0][1]["total"]
    assert total["rows"] == 400 == total["kept"] + sum(total["dropped"].values())
    assert total["masked"] == dict.fromkeys(PLACEHOLDERS, 0) | {"email": total["masked"]["email"]}
    assert 0 < total["masked"]["email"] < 400


def test_personal_data_are_masked_and_counted_by_source_and_kind_except_in_the_classical_recipe(tmp_path: Path) -> None:
    rows = [
        scattered_row(1, "write to <i>jane.doe@mail.example</i>, or to her&#64;b.example"),
        scattered_row(2, "call (212) 736-5000 or 212-736-5001"),
        scattered_row(3, "pay with 4111 1111 1111 1111", source="t"),
        scattered_row(4, "x", source="t"),
        scattered_row(5, "from 1999 to 2004, 10 out of 10 for $1,234,567.89", source="t"),
    ]
    found, result = cleaned(tmp_path, rows)
    texts = {document.text for document in found}
    assert texts == {"write to [EMAIL], or to [EMAIL]", "call [PHONE] or [PHONE]", "pay with [CARD]", rows[4].text}
    metrics: Any = clean_metrics(result)
    none = dict.fromkeys(PLACEHOLDERS, 0)
    assert metrics["sources"]["s"]["masked"] == none | {"email": 2, "phone": 2}
    assert metrics["sources"]["t"]["masked"] == none | {"card": 1}
    assert metrics["total"]["masked"] == none | {"email": 2, "phone": 2, "card": 1}
    found, result = cleaned(tmp_path / "classical", [scattered_row(1, "write to jane@b.example")], profile="bag-of-words")
    assert [document.text for document in found] == ["write jane b example"]
    assert clean_metrics(result)["total"]["masked"] == {}  # type: ignore[index]


def test_queries_are_cleaned_like_texts_except_for_their_length(tmp_path: Path) -> None:
    rows = [
        scattered_row(1, "a passage of text", queries=("<b>is</b>  it?", "ask jane@b.example", "<br>", "is it?")),
        scattered_row(2, "another passage", source="t"),
        scattered_row(3, "x", queries=("a row that is dropped takes its queries along",)),
    ]
    found, result = cleaned(tmp_path, rows, minimum_characters=10)
    assert {row.text: row.queries for row in found} == {"a passage of text": ("ask [EMAIL]", "is it?"), "another passage": ()}
    metrics: Any = clean_metrics(result)
    assert metrics["sources"]["s"]["queries"] == metrics["total"]["queries"] == {"kept": 2, "dropped": 1}
    assert metrics["sources"]["s"]["masked"]["email"] == 1
    assert metrics["sources"]["t"]["queries"] == {"kept": 0, "dropped": 0}


def test_attributes_are_kept(tmp_path: Path) -> None:
    rows = [scattered_row(number, f"text {number}", attributes=(("gender", None if number % 2 else "female"),)) for number in range(30)]
    assert cleaned(tmp_path, rows, shard_bytes=60)[0] == sorted(rows, key=lambda document: document.id)


def test_a_source_with_nothing_left_is_refused(tmp_path: Path) -> None:
    rows = [scattered_row(1, "some text"), scattered_row(2, "x", source="u")]
    with pytest.raises(CompactLMError, match=r"no row of source u is left after cleaning \(dropped: 1 too_short\)"):
        cleaned(tmp_path, rows)


def test_own_filters_replace_a_profile(tmp_path: Path) -> None:
    listed = [{"kind": "expression", "name": "spoiler", "pattern": "(?i)ending", "action": "drop", "replacement": ""}]
    _, result = cleaned(tmp_path, [scattered_row(1, "the Ending"), scattered_row(2, "the start")], profile="own", filters=listed)
    assert result.dropped == {"s": {"spoiler": 1}}
    assert clean_metrics(result)["total"]["dropped"]["spoiler"] == 1  # type: ignore[index]


def test_near_duplicates_are_dropped_if_configured(tmp_path: Path) -> None:
    near = {"threshold": 0.6, "permutations": 64, "unit": "words", "size": 1}
    texts = ["a film that I would like to see again", "A film that I would love to see again!", "else"]
    rows = [scattered_row(number, text) for number, text in enumerate(texts)]
    assert cleaned(tmp_path, rows, near_duplicates=near)[1].dropped == {"s": {"near_duplicate": 1}}
