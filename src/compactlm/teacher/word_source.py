"""The words of the augmenters `synonym` and `insert`, by augment.synonyms."""

from __future__ import annotations

from collections.abc import Sequence

from compactlm import artifacts
from compactlm.bert.models import has_mlm_head, load_base, load_masked_lm, load_tokenizer
from compactlm.corpus.augment.copies import WordSource
from compactlm.corpus.augment.wordnet import find_wordnet
from compactlm.errors import CompactLMError
from compactlm.params import Augment
from compactlm.teacher.nearest_words import NearestWords
from compactlm.teacher.proposer import MaskedWordProposer


def word_source(settings: Augment, texts: Sequence[str], batch_tokens: int) -> WordSource:
    """Return the source of words; `texts` are those of the rows that get copies.

    Raises:
        CompactLMError: the teacher has no masked-language-model head, or WordNet is not installed, and the settings ask for it.
    """
    if not any(settings.shares.get(name) for name in ("synonym", "insert")):
        return WordSource()
    directory = artifacts.TEACHER / artifacts.BASE
    if settings.synonyms == "nearest_words":
        return WordSource(NearestWords(load_base(directory), load_tokenizer(directory), texts, batch_tokens).candidates)
    wordnet = find_wordnet()
    if settings.synonyms == "wordnet":
        if wordnet is None:
            raise CompactLMError(
                "augment.synonyms is wordnet, but WordNet is not installed; install it (Debian: wordnet-base and wordnet-sense-index), or "
                "set augment.synonyms to nearest_words"
            )
        return WordSource(lambda word: [(name, 1.0) for name in wordnet.synonyms(word)])
    if not has_mlm_head(directory):
        raise CompactLMError(
            f"augment.synonyms is masked_words, but the teacher in {directory} has no masked-language-model head; set augment.synonyms to "
            "nearest_words or wordnet, and the share of insert to 0"
        )
    return WordSource(proposer=MaskedWordProposer(load_masked_lm(directory)[0], load_tokenizer(directory), batch_tokens), thesaurus=wordnet)
