"""The little English grammar that swapping a word needs: whether a noun phrase follows it, its article, and the case of its letters."""

from __future__ import annotations

import re

# What comes next decides whether "her" is "his" (before a noun phrase) or "him". These words begin no noun phrase after a possessive.
# They are prepositions (but not past and inside, which are nouns too), particles, conjunctions, determiners, pronouns, auxiliaries, and
# adverbs that end a clause or begin the next.
_CLOSED = frozenset(
    (
        "a about above across after again against ago alike alone along alongside also although altogether am amid among an and "
        "another any anyone anything anyway apart are aren't around as aside at away be because been before behind being "
        "below beneath beside besides between beyond both but by can't cannot could couldn't despite did didn't do does "
        "doesn't don't down during each either else enough every everyone everything everywhere except for forever forward from "
        "had hadn't has hasn't have he her here hers herself him himself his how however i if in instead into is isn't it "
        "its itself later like may maybe me meanwhile must my myself near neither nevertheless nobody none nor not "
        "nothing nowhere of off on onto or otherwise our ours out over per perhaps round shall she should shouldn't "
        "since so some somehow someone something sometimes somewhere soon than that the their theirs them themselves then there "
        "therefore these they this those though through throughout thus till to today together tomorrow tonight too toward "
        "towards under underneath unless until unto up upon us versus via vs was wasn't we well were weren't what whatever when "
        "whenever where whereas wherever whether which while who whoever whom whose why with within without won't would "
        "wouldn't yesterday yet you your yours"
    ).split()
)
# These may stand before an adjective (her very first film) or end the clause (loved her so much): what follows them decides.
_DEGREE = frozenset("all almost always ever even just least less more most much never now once only quite rather so still too very".split())
_NO_ADVERBS = frozenset(
    (
        "ally anomaly assembly belly bully butterfly comely costly cowardly curly daily deadly early elderly family fly folly "
        "friendly ghastly ghostly godly heavenly holy homely hourly jelly jolly leisurely likely lively lonely lovely manly "
        "melancholy monopoly monthly motherly oily only orderly otherworldly reply saintly silly sly smelly supply surly tally "
        "ugly unfriendly ungainly unlikely unruly unseemly weekly wily womanly worldly yearly"
    ).split()
)
_POSSESSIVES = frozenset("her his its my our their your".split())
_LET = re.compile(r"\b(?:let|lets|letting)\s+$", re.IGNORECASE)
_SENSE = re.compile(
    r"\b(?:see|sees|seen|seeing|saw|watch|watches|watched|watching|hear|hears|heard|hearing|find|finds|found|catch|catches|caught|keep|keeps|kept"
    r"|leave|leaves|left)\s+$",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"^\s*[(\[][^()\[\]]*[)\]]")  # his (the director's) best film
_NEXT = re.compile(r"\s*([\w'\u2019-]*)(.*)", re.DOTALL)
_ARTICLE = re.compile(r"(?<!\w)(an?)(\s+)$", re.IGNORECASE)
_CONSONANT_SOUND = re.compile(r"eu|ewe|one\b|once|uni(?!n|m)|us[aeiu]|ut[eio]|ubi", re.IGNORECASE)
_SILENT_H = re.compile(r"heir|honest|honou?r|hour", re.IGNORECASE)
LONGEST = 8  # words looked at


def noun_phrase_follows(before: str, after: str) -> bool:
    """Tell whether a possessive pronoun at the end of `before` is followed by the noun phrase that it belongs to.

    A rule of thumb by the words around, without a parser: sentence marks and words of closed classes begin no such phrase, degree
    adverbs leave the decision to the word after them. "Saw her dance" has two readings, and is taken for that of a noun.
    """
    if _LET.search(before):
        return False
    rest = _ASIDE.sub("", after)
    for position in range(LONGEST):
        word, rest = _next_word(rest)
        if not word:
            return False
        if position == 0 and word in ("and", "or"):  # his or her friends
            possessive, behind = _next_word(rest)
            return possessive in _POSSESSIVES and noun_phrase_follows("", behind)
        if position == 0 and word.endswith("ing") and _SENSE.search(before):
            return False
        if word in _DEGREE or (word.endswith("ly") and word not in _NO_ADVERBS):
            continue
        return word not in _CLOSED
    return True


def _next_word(text: str) -> tuple[str, str]:
    """Return the next word, in small letters and with a plain apostrophe, and what follows it; "" at a mark or the end."""
    found = _NEXT.match(text)
    if found is None:
        return "", ""
    return found[1].lower().replace("\u2019", "'").strip("'-"), found[2]


def match_case(word: str, pattern: str) -> str:
    """Give a word the case of another: all capitals, a capital first, or as it is."""
    letters = [letter for letter in pattern if letter.isalpha()]
    if len(letters) > 1 and all(letter.isupper() for letter in letters):
        return word.upper()
    return word[:1].upper() + word[1:] if letters and letters[0].isupper() else word


def agree_article(before: str, word: str) -> str:
    """Return the text before a word with its indefinite article, if it ends with one, as the word's first sound asks."""
    found = _ARTICLE.search(before)
    if found is None:
        return before
    vowel = bool(_SILENT_H.match(word)) or (word[:1].lower() in "aeiou" and not _CONSONANT_SOUND.match(word))
    article = match_case("an" if vowel else "a", "A" if found[1][0].isupper() else "a")
    return f"{before[: found.start()]}{article}{found[2]}"
