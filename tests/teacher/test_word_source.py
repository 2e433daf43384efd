import shutil

import pytest

from compactlm import artifacts
from compactlm.corpus.augment.wordnet import WordNet
from compactlm.errors import CompactLMError
from compactlm.teacher import word_source as sources
from compactlm.teacher.proposer import MaskedWordProposer


@pytest.fixture
def find(tmp_path, monkeypatch, build_params, tiny_bert):
    """Return a function from augment.synonyms and the machine's WordNet to the source of words."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_bert, artifacts.TEACHER / artifacts.BASE)

    def run(synonyms, wordnet=None, shares=None):
        monkeypatch.setattr(sources, "find_wordnet", lambda: wordnet)
        params = build_params(augment={"synonyms": synonyms})
        settings = params.augment.model_copy(update={"shares": shares or {"synonym": 1.0}})
        return sources.word_source(settings, ["the film was good", "the film was bad"], 256)

    return run


class Reader:
    """A part of NLTK's reader: it knows one sense."""

    def synsets(self, word):
        return [Sense()] if word in {"film", "movie"} else []


class Sense:
    def lemma_names(self):
        return ["film", "movie", "motion_picture"]

    def lemmas(self):
        return []

    def similar_tos(self):
        return []


def test_wordnet_gives_its_synonyms_and_is_required(find):
    found = find("wordnet", WordNet(Reader()))
    assert found.proposer is None
    assert found.lookup("film") == [("movie", 1.0)]
    assert found.lookup("zzz") == []
    with pytest.raises(CompactLMError, match=r"augment\.synonyms is wordnet, but WordNet is not installed; install it"):
        find("wordnet")


def test_a_teacher_with_a_head_proposes_words_with_wordnet_where_it_is_installed(find):
    wordnet = WordNet(Reader())
    found = find("masked_words", wordnet)
    assert isinstance(found.proposer, MaskedWordProposer)
    assert (found.lookup, found.thesaurus) == (None, wordnet)
    assert find("masked_words").thesaurus is None


def test_nearest_words_never_ask_wordnet_and_other_augmenters_need_no_source(find):
    assert find("nearest_words", WordNet(Reader())).thesaurus is None
    assert find("wordnet", shares={"swap": 1.0}) == sources.WordSource()
