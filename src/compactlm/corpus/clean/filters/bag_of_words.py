"""The classical bag-of-words preprocessing, for comparison: lower-case words of letters, tokenised like NLTK, without stop words."""

from __future__ import annotations

import re
from itertools import filterfalse

from compactlm.corpus.clean.filters.base import settling, to_plain

_LETTER = re.compile(r"[^\W\d_]")
_ASCII = bytes(range(128))
# ASCII letters become lower case, other ASCII bytes become spaces, and bytes of other characters stay.
_LOWER_LETTERS = bytes(byte | 32 if chr(byte).isalpha() else 32 for byte in range(128)) + bytes(range(128, 256))
# The function words of English: articles, pronouns, prepositions, conjunctions, auxiliaries, and their parts at an apostrophe.
_FUNCTION_WORDS = """
    a an the this that these those such
    i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers herself
    it its itself they them their theirs themselves one oneself who whom whose which what
    am is are was were be been being have has had having do does did doing done will would shall should can could may might must ought
    about above across after against along among around as at before behind below beneath beside between beyond by down during
    for from in inside into near of off on onto out over past per since through throughout to toward towards under until up upon
    via with within without
    and but or nor so yet if because although though while whereas unless than whether either neither both
    not no s t d ll re ve m nt n
    ain aren couldn didn doesn don hadn hasn haven isn mightn mustn needn shan shouldn wasn weren wouldn
    all any each every few more most other another some many much own same several
    again also always here there then once when where why how just only too very now ever never even still already
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
# In text of letters and spaces, NLTK's tokenizer splits at white space, and splits these words, which are two written as one.
_PARTED = {"cannot": "can not", "gimme": "gim me", "gonna": "gon na", "gotta": "got ta", "lemme": "lem me", "wanna": "wan na"}
_PARTED_WORDS = frozenset(_PARTED)
_PARTS = {word: [part for part in parts.split() if part not in STOP_WORDS] for word, parts in _PARTED.items()}


@to_plain
@settling
def to_bag_of_words(text: str) -> str:
    """Return the words of a text in lower case, letters only, without stop words, separated by single spaces."""
    encoded = text.encode() if text.isascii() else _without_other_symbols(text.lower().encode())
    kept = list(filterfalse(STOP_WORDS.__contains__, encoded.translate(_LOWER_LETTERS).decode().split()))
    if not _PARTED_WORDS.isdisjoint(kept):
        kept = [part for word in kept for part in _PARTS.get(word, [word])]
    return " ".join(kept)


def _without_other_symbols(encoded: bytes) -> bytes:
    """Replace each non-ASCII character that is not a letter by a space."""
    for character in set(encoded.translate(None, _ASCII).decode()):
        if not _LETTER.match(character):
            encoded = encoded.replace(character.encode(), b" ")
    return encoded
