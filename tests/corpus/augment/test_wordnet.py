"""WordNet in files of its own format, as Debian's packages have it, with five senses of adjectives, one of a noun and two of verbs."""

from pathlib import Path

import nltk
import pytest

from compactlm.corpus.augment import wordnet as augment_wordnet
from compactlm.corpus.augment.wordnet import DIRECTORY, find_wordnet
from compactlm.errors import CompactLMError

UNPACKED = Path(__file__).parents[3] / ".cache/wordnet/usr/share/wordnet"  # by .ci/run
WORDNET = next((directory for directory in (DIRECTORY, UNPACKED) if (directory / "data.noun").is_file()), None)
# kind, words, and pointers: "!" to the antonym of the first word, "&" to what is similar.
SENSES = {
    "a": {"good": (["good", "unspoiled"], [("!", "bad"), ("&", "fine")]), "bad": (["bad"], [("!", "good"), ("&", "awful")])},
    "s": {
        "fine": (["fine", "Gripping", "tip-top", "edge_of_the_seat"], [("&", "good")]),
        "awful": (["awful"], [("&", "bad")]),
        "odd": (["odd", "unspoiled", "bad"], [("&", "fine")]),
    },
    "n": {"film": (["film", "movie"], [])},
    "v": {"love": (["love"], [("!", "hate")]), "hate": (["hate"], [("!", "love")])},
}
FILES = {"a": "adj", "s": "adj", "n": "noun", "v": "verb"}
LICENCE = "  1 WordNet 3.0 Copyright: of its authors  \n"


def write_wordnet(directory: Path) -> None:
    """Write the senses; a line starts with its own place in the file, so all lines are made twice, first with places of the same width."""
    directory.mkdir()
    for name in (f"{kind}.{part}" for kind in ("data", "index") for part in ("adj", "adv", "noun", "verb")):
        (directory / name).write_text(LICENCE)
    for name in ("adj", "adv", "noun", "verb"):
        (directory / f"{name}.exc").write_text("hated hate\n" if name == "verb" else "")
    (directory / "cntlist.rev").write_text("")
    (directory / "index.sense").write_text("")
    places: dict[str, int] = {}
    for _ in range(2):
        for file in ("adj", "noun", "verb"):
            content = LICENCE
            for kind in (kind for kind in SENSES if FILES[kind] == file):
                for key, (words, pointers) in SENSES[kind].items():
                    named = " ".join(f"{word} 0" for word in words)
                    linked = "".join(
                        f"{sign} {places.get(to, 0):08d} {'v' if kind == 'v' else 'a'} {'0101' if sign == '!' else '0000'} "
                        for sign, to in pointers
                    )
                    place, content = (
                        len(content),
                        content + f"{len(content):08d} 00 {kind} {len(words):02x} {named} {len(pointers):03d} {linked}",
                    )
                    content += ("00 | a gloss  \n") if kind == "v" else "| a gloss  \n"
                    places[key] = place
            (directory / f"data.{file}").write_text(content)
    for file in ("adj", "noun", "verb"):
        found: dict[str, list[int]] = {}
        for kind in (kind for kind in SENSES if FILES[kind] == file):
            for key, (words, _) in SENSES[kind].items():
                for word in words:
                    found.setdefault(word.lower(), []).append(places[key])
        lines = [
            f"{word} {file[0]} {len(at)} 0 {len(at)} 0 {' '.join(f'{place:08d}' for place in at)}  \n" for word, at in sorted(found.items())
        ]
        (directory / f"index.{file}").write_text(LICENCE + "".join(lines))


class Absent:
    """NLTK's own WordNet where it is not there."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def ensure_loaded(self) -> None:
        raise self.error


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WNSEARCHDIR", raising=False)
    monkeypatch.setattr(augment_wordnet, "DIRECTORY", tmp_path / "share")
    monkeypatch.setattr(augment_wordnet, "wordnet", Absent(LookupError("no corpus")))
    monkeypatch.setattr(nltk.data, "path", list(nltk.data.path))


@pytest.mark.parametrize("missing", [LookupError("no corpus"), FileNotFoundError("lexnames")])
def test_wordnet_is_not_used_where_it_is_missing(monkeypatch: pytest.MonkeyPatch, missing: Exception) -> None:
    monkeypatch.setattr(augment_wordnet, "wordnet", Absent(missing))
    assert find_wordnet() is None


@pytest.mark.parametrize("named", [True, False])
def test_debians_files_are_found_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool) -> None:
    write_wordnet(tmp_path / ("elsewhere" if named else "share"))
    if named:
        monkeypatch.setenv("WNSEARCHDIR", str(tmp_path / "elsewhere"))
    wordnet = find_wordnet()
    assert wordnet is not None
    assert wordnet.synonyms("film") == ("movie",)
    assert wordnet.synonyms("films") == ()  # the word put in would not be inflected
    assert wordnet.synonyms("fine") == ("gripping",)  # single words of letters
    assert wordnet.synonyms("unknown") == ()


def test_antonyms_are_no_synonyms_and_are_known_by_way_of_similar_words(tmp_path: Path) -> None:
    write_wordnet(tmp_path / "share")
    wordnet = find_wordnet()
    assert wordnet is not None
    assert wordnet.synonyms("unspoiled") == ("good", "odd")  # "bad" shares a sense with it here, and is an opposite all the same
    for word, other in (("good", "bad"), ("good", "awful"), ("fine", "bad"), ("fine", "awful"), ("love", "hate"), ("loves", "hated")):
        assert wordnet.opposes(word, other), (word, other)
    for word, other in (("good", "fine"), ("film", "movie"), ("unknown", "bad")):
        assert not wordnet.opposes(word, other), (word, other)


def test_half_a_wordnet_is_none_and_where_it_is_named_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wordnet(tmp_path / "share")
    (tmp_path / "share" / "index.verb").unlink()
    assert find_wordnet() is None
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path / "share"))
    with pytest.raises(CompactLMError, match=r"WNSEARCHDIR is .*share, .* unset it"):
        find_wordnet()


@pytest.mark.skipif(WORDNET is None, reason="Debian's wordnet-base and wordnet-sense-index are not installed")
def test_the_whole_of_debians_wordnet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment_wordnet, "DIRECTORY", WORDNET)
    wordnet = find_wordnet()
    assert wordnet is not None
    assert "movie" in wordnet.synonyms("film")
    assert wordnet.opposes("great", "terrible")
