"""Whether "her" and "his" belong to a noun phrase that follows: heuristic rules on the surrounding words, without a parser.

"Her" becomes "his" before its noun phrase (her book), and "him" as the object of a verb or a preposition (saw her, with her). "His"
becomes "her" or "hers". The next words decide, with two exceptions. First, some verbs take more than an object: causatives (made her
laugh), verbs that put somebody into a state (made her happy, had her arrested), and verbs of giving (gave her flowers). Second, an
adverbial of time may follow (saw her last week).
"""

from __future__ import annotations

import re


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# These begin no noun phrase after a possessive: prepositions (but not past and inside, which are nouns too), particles, conjunctions,
# determiners, pronouns, auxiliaries, and adverbs that end a clause or begin the next.
_CLOSED = _set(
    "a about above across after again against ago alike alone along alongside also although altogether am amid among an and another any "
    "anyone anything anyway anywhere apart are aren't around as aside at away be because been before behind being becomes below beneath "
    "beside besides between beyond both but by can't cannot could couldn't despite did didn't do does doesn't don't down during each "
    "either else enough every everyone everything everywhere except for forever forward from had hadn't has hasn't have he her here hers "
    "herself him himself his how however i if in instead into is isn't it its itself later like makes may maybe me meanwhile must my "
    "myself near neither nevertheless nobody none nor not nothing nowhere of off on onto or otherwise our ours out over per perhaps round "
    "shall she should shouldn't since so some somehow someone something sometimes somewhere soon than that the their theirs them "
    "themselves then there therefore these they this those though through throughout thus till to today together tomorrow tonight too "
    "toward towards under underneath unless until unto up upon us versus via vs was wasn't we well were weren't what whatever when "
    "whenever where whereas wherever whether which while who whoever whom whose why with within without won't would wouldn't yesterday yet "
    "you your yours"
)
# These precede an adjective (her very first film) or end the clause (loved her so much): the word after them decides.
_DEGREE = _set("all almost always ever even just least less more most much never now once only quite rather so still too twice very")
_NO_ADVERBS = _set(
    "ally anomaly assembly belly bully butterfly comely costly cowardly curly daily deadly early elderly family fly folly friendly ghastly "
    "ghostly godly heavenly holy homely hourly jelly jolly leisurely likely lively lonely lovely manly melancholy monopoly monthly "
    "motherly oily only orderly otherworldly reply saintly silly sly smelly supply surly tally ugly unfriendly ungainly unlikely unruly "
    "unseemly weekly wily womanly worldly yearly"
)
_POSSESSIVES = _set("her his its my our their your")

# Verbs by what they take besides an object.
_LET = _set("help helped helping helps let lets letting")
_MAKE = _set("made make makes making")
_SENSE = _set("hear hearing heard hears saw see seeing seen sees watch watched watches watching")
_STATE = _set(
    "call called calling calls consider considered considers deem deemed deems drive driven drives driving drove dubbed find finding finds "
    "found get gets getting got had have having keep keeping keeps kept label labelled labels leave leaves leaving left render rendered "
    "renders set sets setting turn turned turns want wanted wants"
)
_GIVE = _set(
    "bring brings bringing brought buy buys bought cost gave give given gives giving grant granted lend lent offer offered offers owe owed "
    "owes paid pay pays promise promised send sending sends sent show showed shown shows taught teach teaches wish wished wishes won"
)
_SAY = _set(
    "ask asked asking asks call called calling calls dub dubbed label labelled labels name named nickname nicknamed nicknaming tell "
    "telling tells told"
)
_MOVE = _set(
    "bring bringing brings brought call calls called drag dragged drive drives drove follow followed get gets getting got help helped "
    "invite invited lead led pull pulled see send sending sends sent take takes taken taking took throw threw walk walked walks want "
    "wanted wants welcome welcomed win winning won"
)
_MEET = _set("hit kiss kissed know knew love loved meet meeting meets met notice noticed visit visited")
_THINK = _set("think thinking thinks thought")
# Complements of these verbs.
_INFINITIVES = _set(
    "appear ask avoid be become begin believe bring choose come deal decide develop die discover do earn eat feel find forget get give go "
    "grieve grow have hear join keep know learn leave let look lose make meet pay put react realise realize recover remember see seem sell "
    "sing sit speak stay suffer survive take teach tell think understand win write"
)
_ACTS = _set("act cry dance drink experience fall fight laugh live love play rest scream sleep smile stand talk wait walk want weep work")
_CAUSED = _set("act blush cry dance doubt fall laugh love scream sleep smile wait want weep work")
_ADJECTIVES = _set(
    "active afraid alive angry arrogant attractive awake aware bitter blind bored brave bright brilliant busy calm clever cold crazy "
    "creative crude cruel cute dead deaf dependent different dishonest dizzy drowsy drunk dumb elegant evil fat feral fit free friendly "
    "funny great guilty happy honest hungry ignorant ill immortal incompetent innocent insane intelligent interested lazy lonely lovely "
    "mad mean modest naive nice numb open perfect poor popular pregnant pretty proud quiet ready relevant rich rude sad safe sane scared "
    "selfish sensitive sexy shy sick silent silly sincere small smart special strong stupid sure sympathetic tick tired ugly unhappy "
    "unkind untrustworthy upset vain warm wary weak weary weird welcome whole wicked wise worse worthy wrong"
)
_ADJECTIVE = re.compile(r"\w{2,}(?:[ai]ble|ful|less|ous)$")
_PARTICIPLE = re.compile(
    r"\w{2,}ed$|(?:beaten|bitten|broken|caught|chosen|done|driven|eaten|frozen|given|gone|killed|shot|stolen|taken|thrown|torn|worn)$"
)
_GIFTS = _set(
    "access advice big comfort confidence control courage credit directions everything evidence flowers food freedom hope immunity "
    "information money nothing permission pleasure protection room shelter something space strength time trouble water"
)
_PICTURE_OF = re.compile(r"(?i)\b(?:footage|glimpses?|images?|memor(?:y|ies)|photos?|pictures?|scenes?|shots?|sights?|videos?)\s+of\s+$")
_WISHES = re.compile(
    r"(?i)\s+(?:all\s+(?:the|that)\b|(?:(?:every|good|happy|more|much)\s+)*(?:birthday|happiness|health|joy|luck|success)(?![\w'\u2019-]))"
)
_UNIT = r"(?:second|minute|hour|day|night|week|month|year|decade|age)"
_NUMBER = r"(?:\d+(?:[.,]\d+)*|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred|thousand|million|many|several)"
_AMOUNT = re.compile(rf"(?i)(?:\s+{_NUMBER}(?!\w))+(?:[\s-]+(?:{_UNIT}|buck|cent|dollar|euro|point|pound|star|thumb)s?)?(?![\w'\u2019-])")
_WHEN = re.compile(  # last week, next day, last Friday evening, Monday, two years ago
    r"(?i)\s+(?:(?:last|next)\s+(?:week|month|year|time|spring|summer|autumn|fall|winter)|last\s+night|(?:next|one)\s+"
    r"(?:day|morning|evening|night)|(?:(?:last|next|one)\s+)?(?:mon|tues|wednes|thurs|fri|satur|sun)day(?:\s+(?:morning|evening|night))?|"
    rf"(?:{_NUMBER}\s+)*{_UNIT}s?\s+(?:ago|earlier|later))(?![\w'\u2019-])"
)
# After the first of these, or before the second, "her last week" is a time of hers.
_OWNS_TIME = _set(
    "about after and as be became become been before began begin but by chronicles depicts during end ended enjoy enjoyed finished "
    "for had has have in into is like of on or over since spend spending spends spent than that through throughout till until was were"
)
_GOES_ON = _set("are can could did does had has is may might must of off out should was were will would")
_VERB = re.compile(r"(?<![\w'\u2019])([\w'\u2019]++)\s+$")
_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")  # his (the director's) best film
_DASH = r"(?:\s*(?:--+|[\u2013\u2014])|\s-\s)"
_DASHES = re.compile(rf"{_DASH}[^.!?;\u2013\u2014]*?{_DASH}")  # his - truly - best film
_QUOTE = re.compile(r"\s+[\"'\u2018\u201c\u00ab](?=\w)")  # his "best" film
_ALL = re.compile(r"(?i)\s+all\b(?!\s+(?:he|her|his|of|she|that|the|these|they|this|those)\b)")
_JOINED = re.compile(r"\s*(?:/|(?:and/or|and|or)\b)", re.IGNORECASE)  # his or her friends, her/his story
_HER_TOO = re.compile(r"\s+(?:and|or)\s+her\b(?!(?:\s+[\w-]+){1,3}['\u2019]s?\s)", re.IGNORECASE)  # her and her sister, but not sister's
_NEXT = re.compile(r"\s*(-?\w[\w'\u2019]*(?:-\w[\w'\u2019]*)*|)(.*)", re.DOTALL)
LONGEST = 8  # words searched


def is_possessive(word: str, before: str, after: str) -> bool:
    """Return whether a possessive pronoun belongs to a noun phrase in the text after it; only "her" can be an object as well.

    "Saw her dance" is ambiguous and counts as a noun phrase.
    """
    found = _VERB.search(before)
    verb = found[1].lower() if found else ""
    for aside in (_BRACKETS, _DASHES):
        after = after[skipped.end() :] if (skipped := aside.match(after)) else after
    quote = _QUOTE.match(after)
    after = after[quote.end() :] if quote else after
    if word.lower() == "her" and (
        (quote and verb in _SAY) or _HER_TOO.match(after) or _is_dated(verb, after) or _is_object(verb, before, after)
    ):
        return False
    if verb in _GIVE and _ALL.match(after) and _clause_ends(after.split("all", 1)[-1]):
        return True  # gave his all
    return noun_phrase_follows(after)


def _is_object(verb: str, before: str, after: str) -> bool:
    """Return whether the next words are a complement of the verb before, so that the pronoun is its object."""
    first, rest = _next_word(after)
    while first in _DEGREE or _is_adverb(first):
        first, rest = _next_word(rest)
    ends = _clause_ends(rest)
    if first.endswith("ing") and (verb in _SENSE or (ends and verb in _STATE) or _PICTURE_OF.search(before)):
        return True
    if verb in _LET | _MAKE | _SENSE and first in _INFINITIVES:
        return True
    if ends and first in (_ACTS if verb in _LET else _CAUSED if verb in _MAKE else ()):
        return True
    described = _clause_ends(rest.lstrip(", "))  # her quiet, dark charm: the last of several adjectives decides
    if described and verb in _STATE | _MAKE | _THINK and (first in _ADJECTIVES or _ADJECTIVE.match(first) or _next_word(rest)[0] == "than"):
        return True
    if ends and verb in _STATE and _PARTICIPLE.match(first):
        return True
    if (verb in _SAY and first == "names") or (verb == "with" and ends and first in ("absent", "dead", "gone", "killed", "missing")):
        return True
    if verb in _GIVE and (amount := _AMOUNT.match(after)):
        return _clause_ends(after[amount.end() :])
    if verb.startswith("wish") and (wish := _WISHES.match(after)):
        return _next_word(after[wish.end() :])[0] not in _GOES_ON
    if verb in _GIVE and first in _GIFTS:
        return ends or first == "big"
    return ends and verb in _MOVE and first in ("back", "home")


def _is_dated(verb: str, after: str) -> bool:
    """Return whether an adverbial of time comes next."""
    if verb in _OWNS_TIME or not verb:
        return False
    when = _WHEN.match(after)
    first, rest = ("", after[when.end() :]) if when else _next_word(after)
    if not when and not (first in ("first", "last") and verb in _SENSE | _SAY | _MEET):
        return False
    following = _next_word(rest.lstrip(", "))[0]
    return _clause_ends(rest) and following not in _GOES_ON and (when is not None or following not in ("and", "or"))


def noun_phrase_follows(after: str) -> bool:
    """Return whether a text begins with a noun phrase without its determiner.

    Punctuation and words of closed classes do not begin a noun phrase. After a degree adverb, the next word decides.
    """
    rest = after
    while joined := _JOINED.match(rest):
        possessive, rest = _next_word(rest[joined.end() :])
        if possessive not in _POSSESSIVES:
            return False
    for _ in range(LONGEST):
        word, rest = _next_word(rest)
        if not word:
            return False
        if word in _DEGREE or _is_adverb(word):
            continue
        return not _is_closed(word)
    return True


def _is_adverb(word: str) -> bool:
    return word.endswith("ly") and word not in _NO_ADVERBS


def _is_closed(word: str) -> bool:
    return word in _CLOSED or word.partition("'")[0] in _CLOSED  # she's, they're


def _clause_ends(text: str) -> bool:
    """Return whether a text begins with punctuation, or with a word that begins no noun phrase."""
    word, _ = _next_word(text)
    return not word or _is_closed(word) or word in _DEGREE or _is_adverb(word)


def _next_word(text: str) -> tuple[str, str]:
    """Return the next word, in lower case and with a plain apostrophe, and the rest; "" at punctuation or the end."""
    found = _NEXT.match(text)
    if found is None:
        return "", ""
    return found[1].lower().replace("\u2019", "'").strip("'-"), found[2]
