"""Phone numbers by the numbering plans of `phonenumbers`. Digits without separators are ordinary numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from compactlm.corpus.clean.filters.personal.beside import continues, found_before, is_code

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber, PhoneNumberMatch

_NANP = 1  # the country code of the United States, Canada and others
_JOINT = "[.\\-\u00ad\u2010-\u2015\u2212]"
_DIGIT_JOINT = re.compile(rf"(?<=\d) ?{_JOINT} ?(?=\d)")
_DECIMAL = re.compile(r"\d+\.\d+")
_NORTH_AMERICAN = re.compile(r"\D*(?:1\D+)?(?:\(\d{3}\)\D*\d{3}\D*|\d{3}\D+\d{3}\D+)\d{4}(?!\d)")
_AREA = re.compile(r"\(\d{1,5}\)|\d ?/ ?\d")
_WORDS = (
    r"call|calls|called|calling|phone|phones|phoned|telephone|tel|fax|mobile|mob|cell|cellphone|cellular|landline|hotline|helpline|pager"
    r"|voicemail|whatsapp|sms|dial|dialled|dialed|ring|text|texted|contact|reach(?:ed)?\s(?:me|us|him|her|them)|(?:my|our|your|his|her|their)\snumber"
    r"|ruf|rufen|anrufen|telefon|fon|handy|mobil|t[\u00e9e]l[\u00e9e]phone|t[\u00e9e]l|portable|appeler|appelez|tel[\u00e9e]fono|m[\u00f3o]vil"
    r"|celular|llame|llamar|cellulare|chiamare|chiama|ligue|telefone|telefoon|bel"
)
# The bracket tells a word from a placeholder of an earlier round.
_BEFORE = re.compile(rf"(?<![^\W_])(?<!\[)(?:{_WORDS})(?![^\W_])[^\d\n]{{0,20}}$", re.IGNORECASE)
_AFTER = re.compile(
    r"\s?(?:\((?:cell|mobile|mob|home|work|office|fax|tel|phone)\b|is\smy\s(?:\w+\s)?(?:number|phone|cell|mobile)\b)", re.IGNORECASE
)
_ABROAD = re.compile(r"(?:\+(?<![\w.+]\+)|00(?<![\w.]00)) ?[1-9](?:[ .()/\-\u00a0\u202f\u2010-\u2015]{0,3}\d){6,16}")
_LOCAL = re.compile(rf"[2-9](?<![\w.,+-].)\d\d{_JOINT}\d{{4}}(?![\w]|[.,-]\d)")
# A national number that starts with 0: an area code of at least three digits and more groups, or five groups of two digits as in France.
# Fewer groups of two digits may be a date.
_TRUNK = re.compile(
    r"(?<![\w.,+/-])(?=\(?0(?:[ .()/-]{0,2}\d){8,11}(?!\d))"
    r"(?:(?:\(0[1-9]\d{1,4}\)|0[1-9]\d{1,4})[ ./-]{0,2}\d{2,4}(?:[ -]?\d{2,4}){1,2}|0[1-9](?:[ .-]\d\d){4})(?!\w|[-/.,]\d)"
)
_GAPS = re.compile(r"[^\d+]+")
_ENOUGH = 11  # so many digits after a plus sign are a phone number, even if no plan has it


def phones(text: str, region: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each phone number; `region` is the country (two letters) of numbers without a country code.

    A number needs a plus sign, a separator that is usual in phone numbers, or a word such as "call" next to it.
    """
    import phonenumbers  # imported late because only texts with many digits need it

    end = 0
    for match in phonenumbers.PhoneNumberMatcher(text, region, phonenumbers.Leniency.VALID):
        if _is_phone(match, text) or (end and continues(text, end, match.start)):
            start = match.start + int(match.raw_string.startswith("(") and ")" not in match.raw_string)
            yield from _others(text, end, start, region)
            yield start, match.end
            end = match.end
    yield from _others(text, end, len(text), region)


def _is_phone(match: PhoneNumberMatch, text: str) -> bool:
    if match.raw_string.startswith("+"):
        return True
    if _DECIMAL.fullmatch(match.raw_string) or is_code(text, match.start):
        return False
    return _with_words(text, match.start, match.end) or _is_separated(match.raw_string, match.number)


def _with_words(text: str, start: int, end: int) -> bool:
    return found_before(_BEFORE, text, start) or _AFTER.match(text, end, end + 40) is not None


def _is_separated(raw: str, number: PhoneNumber) -> bool:
    """Return whether a number has the separators of a phone number. North American numbers must have groups of 3, 3 and 4 digits."""
    if not (_AREA.search(raw) or _DIGIT_JOINT.search(raw)):
        return False
    return number.country_code != _NANP or _NORTH_AMERICAN.match(raw) is not None


def _others(text: str, start: int, end: int, region: str) -> Iterator[tuple[int, int]]:
    """Yield numbers that the plans do not match as written: international numbers, and local or national ones after a word."""
    found = []
    if "+" in text or "00" in text:
        for match in _ABROAD.finditer(text, start, end):
            if last := _end_of_abroad(match, text):
                first = match.start()
                opened = text[first:last].count(")") > text[first:last].count("(") and text[first - 1 : first] == "("
                found.append((first - int(opened), last))
    if region in ("US", "CA"):
        found += _after_words(_LOCAL, text, start, end)
    found += _after_words(_TRUNK, text, start, end)
    last = start
    for one in sorted(found):
        if one[0] >= last:
            yield one
            last = one[1]


def _after_words(numbers: re.Pattern[str], text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    last = start
    for match in numbers.finditer(text, start, end):
        named = found_before(_BEFORE, text, match.start()) and not is_code(text, match.start())
        if named or (last and continues(text, last, match.start())):
            yield match.span()
            last = match.end()


def _end_of_abroad(match: re.Match[str], text: str) -> int | None:
    """Return where a number with a country code ends, or None. Other numbers after it may look like its last groups."""
    import phonenumbers

    raw, start = match.group(), match.start()
    prefix = 1 if raw.startswith("+") else 2
    for end in [len(raw), *(gap.start() for gap in reversed(list(_GAPS.finditer(raw))))]:
        digits = sum(map(str.isdigit, raw[prefix:end]))
        if prefix == 2 and digits < _ENOUGH:
            return None
        if text[start + end : start + end + 1].isalnum():
            continue
        try:
            number = phonenumbers.parse(f"+{raw[prefix:end]}", None)
        except phonenumbers.NumberParseException:
            continue
        separated = digits >= _ENOUGH or _GAPS.search(raw, prefix, end) is not None
        marked = prefix == 1 or found_before(_BEFORE, text, start)
        if phonenumbers.is_valid_number(number) or (marked and separated and phonenumbers.is_possible_number(number)):
            return start + end
    return None
