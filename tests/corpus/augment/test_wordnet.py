"""A tiny WordNet in the files of Debian's packages: five senses of adjectives, one of a noun and two of verbs."""

from collections import defaultdict
from pathlib import Path

import nltk
import pytest

from compactlm.corpus.augment import wordnet as wordnet_module
from compactlm.corpus.augment.wordnet import DIRECTORY, find_wordnet
from compactlm.errors import CompactLMError

UNPACKED = Path(__file__).parents[3] / ".cache/wordnet/usr/share/wordnet"  # by .ci/run
WORDNET = next((directory for directory in (DIRECTORY, UNPACKED) if (directory / "data.noun").is_file()), None)
# For each file of WordNet: its senses with their kind, words and pointers: "!" to the antonym of the first word, "&" to a similar sense.
SENSES: dict[str, dict[str, tuple[str, list[str], list[tuple[str, str]]]]] = {
    "adj": {
        "good": ("a", ["good", "unspoiled"], [("!", "bad"), ("&", "fine")]),
        "bad": ("a", ["bad"], [("!", "good"), ("&", "awful")]),
        "fine": ("s", ["fine", "Gripping", "tip-top", "edge_of_the_seat"], [("&", "good")]),
        "awful": ("s", ["awful"], [("&", "bad")]),
        "odd": ("s", ["odd", "unspoiled", "bad"], [("&", "fine")]),
    },
    "adv": {},
    "noun": {"film": ("n", ["film", "movie"], [])},
    "verb": {"love": ("v", ["love"], [("!", "hate")]), "hate": ("v", ["hate"], [("!", "love")])},
}
WIDTH = 120  # characters of every line


def write_wordnet(directory: Path) -> None:
    """Write the files. All lines have the same width, so the offset of a sense follows from its number."""
    directory.mkdir()
    (directory / "cntlist.rev").touch()
    (directory / "index.sense").touch()
    for file, senses in SENSES.items():
        offsets = {key: WIDTH * number for number, key in enumerate(senses, start=1)}
        data, index = ["  1 WordNet 3.0 Copyright: of its authors"], defaultdict[str, list[str]](list)
        for key, (kind, words, pointers) in senses.items():
            named = " ".join(f"{word} 0" for word in words)
            linked = "".join(f"{sign} {offsets[to]:08d} {file[0]} {'0101' if sign == '!' else '0000'} " for sign, to in pointers)
            frames = "00 " if file == "verb" else ""
            data.append(f"{offsets[key]:08d} 00 {kind} {len(words):02x} {named} {len(pointers):03d} {linked}{frames}| a gloss")
            for word in words:
                index[word.lower()].append(f"{offsets[key]:08d}")
        lines = [data[0], *(f"{word} {file[0]} {len(at)} 0 {len(at)} 0 {' '.join(at)}" for word, at in sorted(index.items()))]
        for name, content in (("data", data), ("index", lines)):
            (directory / f"{name}.{file}").write_text("".join(f"{line:<{WIDTH - 1}}\n" for line in content))
        (directory / f"{file}.exc").write_text("hated hate\n" if file == "verb" else "")


class Absent:
    """NLTK's own WordNet on a machine that does not have it."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def ensure_loaded(self) -> None:
        raise self.error


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WNSEARCHDIR", raising=False)
    monkeypatch.setattr(wordnet_module, "DIRECTORY", tmp_path / "share")
    monkeypatch.setattr(wordnet_module, "wordnet", Absent(LookupError("no corpus")))
    monkeypatch.setattr(nltk.data, "path", list(nltk.data.path))


@pytest.mark.parametrize("missing", [LookupError("no corpus"), FileNotFoundError("lexnames")])
def test_a_missing_wordnet_is_not_used(monkeypatch: pytest.MonkeyPatch, missing: Exception) -> None:
    monkeypatch.setattr(wordnet_module, "wordnet", Absent(missing))
    assert find_wordnet() is None


@pytest.mark.parametrize("named", [True, False])
def test_the_files_of_debian_or_of_wnsearchdir_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool) -> None:
    write_wordnet(tmp_path / ("elsewhere" if named else "share"))
    if named:
        monkeypatch.setenv("WNSEARCHDIR", str(tmp_path / "elsewhere"))
    wordnet = find_wordnet()
    assert wordnet is not None
    assert wordnet.synonyms("film") == ("movie",)
    assert wordnet.synonyms("films") == ()  # a synonym would not be inflected
    assert wordnet.synonyms("fine") == ("gripping",)  # single words of letters
    assert wordnet.synonyms("unknown") == ()


def test_antonyms_are_not_synonyms_and_are_found_through_similar_words(tmp_path: Path) -> None:
    write_wordnet(tmp_path / "share")
    wordnet = find_wordnet()
    assert wordnet is not None
    assert wordnet.synonyms("unspoiled") == ("good", "odd")  # "bad" shares a sense with it, but is an opposite
    for word, other in (("good", "bad"), ("good", "awful"), ("fine", "bad"), ("fine", "awful"), ("love", "hate"), ("loves", "hated")):
        assert wordnet.opposes(word, other), (word, other)
    for word, other in (("good", "fine"), ("film", "movie"), ("unknown", "bad")):
        assert not wordnet.opposes(word, other), (word, other)


def test_an_incomplete_wordnet_is_not_used_and_is_an_error_if_wnsearchdir_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wordnet(tmp_path / "share")
    (tmp_path / "share" / "index.verb").unlink()
    assert find_wordnet() is None
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path / "share"))
    with pytest.raises(CompactLMError, match=r"WNSEARCHDIR is .*share"):
        find_wordnet()


@pytest.mark.skipif(WORDNET is None, reason="Debian's wordnet-base and wordnet-sense-index are not installed")
def test_the_real_wordnet_of_debian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordnet_module, "DIRECTORY", WORDNET)
    wordnet = find_wordnet()
    assert wordnet is not None
    assert "movie" in wordnet.synonyms("film")
    assert wordnet.opposes("great", "terrible")
