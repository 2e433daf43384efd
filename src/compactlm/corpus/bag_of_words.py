"""The classical recipe, for comparison: lower-case words of letters only, by NLTK's Treebank tokenizer, without stop words."""

from __future__ import annotations

import re

from nltk.tokenize import TreebankWordTokenizer

_TOKENIZER = TreebankWordTokenizer()
_NOT_PLAIN = re.compile(r"[^a-z ]")
_LETTERS = re.compile(r"[^\W\d_]+")

# The function words of English: articles, pronouns, prepositions, conjunctions, auxiliaries, and what tokenisation cuts off.
_FUNCTION_WORDS = """
    a an the this that these those such
    i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers herself
    it its itself they them their theirs themselves one oneself who whom whose which what
    am is are was were be been being have has had having do does did doing done will would shall should can could may might must ought
    about above across after against along among around as at before behind below beneath beside between beyond by down during
    for from in inside into near of off on onto out over past per since through throughout to toward towards under until up upon
    via with within without
    and but or nor so yet if because although though while whereas unless than whether either neither both
    not no n't 's 're 've 'll 'd 'm s t d ll re ve m nt n ca wo sha
    all any each every few more most other another some many much own same several
    again also always here there then once when where why how just only too very now ever never even still already
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())


def to_bag_of_words(text: str) -> str:
    """Return the words of a text that are no stop words, lower-case, letters only, parted by single spaces."""
    words = []
    for token in _tokens(text.lower()):
        if token not in STOP_WORDS:
            words += [word for word in _LETTERS.findall(token) if word not in STOP_WORDS]
    return " ".join(words)


def _tokens(text: str) -> list[str]:
    if _NOT_PLAIN.search(text):
        return _TOKENIZER.tokenize(text)
    # Of the tokenizer's rules only these touch a text of letters and spaces; to try the others takes ten times as long.
    for contraction in (*_TOKENIZER.CONTRACTIONS2, *_TOKENIZER.CONTRACTIONS3):
        text = contraction.sub(r" \1 \2 ", text)
    return text.split()
