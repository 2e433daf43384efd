"""Numbers of bank accounts (IBAN), payment cards and social security."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from compactlm.corpus.clean.filters.personal.beside import GAP, found_before, is_code

_GAPS = re.compile(GAP)
# The lookbehinds come after the first character, so that the search can skip to that character.
_IBAN = re.compile(rf"\d(?<=[A-Za-z]{{2}}\d)(?<![^\W_]..\d)\d(?:{GAP}?[A-Za-z0-9]{{4}}){{2,7}}(?:{GAP}?[A-Za-z0-9]{{1,3}})?(?!\w)")
_LETTERS = {ord(letter): str(value) for value, letter in enumerate(string.ascii_uppercase, 10)}
_CARD = re.compile(rf"[2-6](?<![^\W_].)(?<!\d[.,/-].)\d{{3}}{GAP}?(?:\d{GAP}?){{8,14}}\d(?![^\W_])")
_ISSUERS = re.compile(
    r"4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Visa, Mastercard
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}"  # American Express, Diners Club
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14}(?:\d{3})?"  # Discover, JCB, UnionPay
    r"|(?:50(?:18|20|38)|5893|6(?:304|759|76[1-3]|799))\d{12}(?:\d{3})?"  # Maestro
)
_SOCIAL_SECURITY = re.compile(
    r"[0-8](?<![^\W_].)(?<!\d[.,/ -].)(?!(?<=0)00|(?<=6)66)\d{2}"
    rf"(?P<gap>{GAP}?)(?!00)\d{{2}}(?P=gap)(?!0000)\d{{4}}(?![^\W_]|[-,./\u00a0 ]\d)"
)
_SECURITY_WORDS = re.compile(r"(?<![^\W_])(?:ssn|social[\s-]security(?:\s(?:number|no\.?|#))?)[\s\"':=#.]{0,3}(?:is\s)?$", re.IGNORECASE)


def ibans(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each IBAN with valid check digits, in upper or lower case, with or without gaps."""
    position = 0
    while match := _IBAN.search(text, position):
        start = match.start() - 2  # the country
        # Words after the number may look like its last groups.
        end = next((end for end in _ends(match) if _is_iban(_GAPS.sub("", text[start:end]))), None)
        position = end or match.start() + 1
        if end:
            yield start, end


def _ends(match: re.Match[str]) -> list[int]:
    """Return the end of a match, and then the end of each of its groups of digits, starting from the last."""
    return [match.end(), *(match.start() + gap.start() for gap in reversed(list(_GAPS.finditer(match.group()))))]


def _is_iban(number: str) -> bool:
    from stdnum import iban  # imported late because only texts with a candidate need it

    # The remainder (ISO 7064) comes first because it is ten times as fast as the rules of the countries.
    if int((number[4:] + number[:4]).upper().translate(_LETTERS)) % 97 != 1:
        return False
    return bool(iban.is_valid(number, check_country=False))


def cards(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each card number of a known issuer with a valid check digit, in one group or in groups of four or more."""
    position = 0
    while match := _CARD.search(text, position):
        # A date or a security code after the number may look like its last groups.
        end = next((end for end in _ends(match) if _is_card(text, match.start(), end)), None)
        position = end or match.start() + 4
        if end:
            yield match.start(), end


def _is_card(text: str, start: int, end: int) -> bool:
    from stdnum import luhn

    groups = _GAPS.split(text[start:end])
    digits = "".join(groups)
    if not (_ISSUERS.fullmatch(digits) and luhn.is_valid(digits)):
        return False
    if len(groups) == 1:
        return not is_code(text, start)
    return all(len(group) >= 4 for group in groups[:-1]) and len(groups[-1]) >= 3


def social_security_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each US social security number. Nine digits without gaps count only after a word that names the number."""
    for match in _SOCIAL_SECURITY.finditer(text):
        if match["gap"] or found_before(_SECURITY_WORDS, text, match.start()):
            yield match.span()
