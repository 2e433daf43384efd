"""Filter that replaces personal data by placeholders that name its kind, such as [EMAIL]."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Sequence

from compactlm.params import PersonalKind

PLACEHOLDERS: dict[PersonalKind, str] = {
    "email": "[EMAIL]",
    "iban": "[IBAN]",
    "card": "[CARD]",
    "social_security": "[SOCIAL_SECURITY]",
    "ip_address": "[IP_ADDRESS]",
    "phone": "[PHONE]",
}
_PLACEHOLDER = re.compile("|".join(re.escape(placeholder) for placeholder in PLACEHOLDERS.values()))
_KIND_OF = {placeholder: kind for kind, placeholder in PLACEHOLDERS.items()}

_EMAIL = re.compile(r"(?<![\w.+%-])[\w+%-][\w.+%-]{0,63}@(?:[^\W_][\w-]{0,62}\.){1,8}[^\W\d_]{2,24}(?!\w)")
# The lookbehind comes after the first character of each pattern, so that the search can skip to that character.
_IBAN = re.compile(r"[A-Z](?<!\w[A-Z])[A-Z]\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
# No card number starts with 20 or 21, but years do.
_CARD = re.compile(r"[2-6](?<![\w.-][2-6])(?!(?<=2)[01])\d{3}[ -]?(?:\d[ -]?){8,14}\d(?![\w-])")
_CARD_GAP = re.compile(r"[ -]")
_CARD_DIGITS = (15, 16)  # nearly all cards have this many digits
_SOCIAL_SECURITY = re.compile(r"[0-8](?<![\w-][0-8])(?!(?<=0)00|(?<=6)66)\d{2}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_IP_4 = re.compile(r"\d(?<![\w.:]\d)\d{0,2}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_FOUR_DIGITS = re.compile(r"\d(?:\.\d){3}")
_IP_6 = re.compile(r"(?<![\w.:])(?:[0-9A-Fa-f]{1,4}:){1,7}(?::?[0-9A-Fa-f]{1,4}){1,7}(?![\w:]|\.\d)")
_BOOK = re.compile(r"\b(?:ISBN|ISSN|OCLC|PMID)(?:-1[03])?:?\s{0,3}$", re.IGNORECASE)
_MANY_DIGITS = re.compile(r"\d(?:[^\w\n,;:%$\"'!?]{0,3}\d){6}")
_LONG: frozenset[PersonalKind] = frozenset(("card", "social_security", "phone"))  # kinds that need at least seven digits


def mask_personal(text: str, of: Sequence[PersonalKind], region: str) -> str:
    """Replace personal data of these kinds by placeholders; `region` is the country (two letters) of phone numbers without a country code.

    Card numbers and IBANs are recognised by their check digits, and phone numbers by the numbering plans of `phonenumbers`. Other
    numbers stay, such as prices, years and scores. IP addresses that belong to nobody and numbers after ISBN or the like stay too.
    """
    long = _MANY_DIGITS.search(text) is not None
    for kind in PLACEHOLDERS:  # the order is fixed because a card number can look like a phone number
        if kind in of and (long or kind not in _LONG):
            text = _mask_phones(text, region) if kind == "phone" else _MASKS[kind](text)
    return text


def count_masked(before: str, after: str) -> Counter[PersonalKind]:
    """Count the placeholders of each kind that are in `after` but not in `before`."""
    if "[" not in after:
        return Counter()
    counts = Counter(_KIND_OF[found] for found in _PLACEHOLDER.findall(after))
    counts.subtract(_KIND_OF[found] for found in _PLACEHOLDER.findall(before))
    return +counts


def _mask(pattern: re.Pattern[str], kind: PersonalKind, needs: str, valid: Callable[[str], int]) -> Callable[[str], str]:
    """Return a function that masks matches; `valid` returns how many characters of a match to mask, 0 for an invalid match."""

    def replaced(match: re.Match[str]) -> str:
        size = valid(match.group())
        return PLACEHOLDERS[kind] + match.group()[size:] if size else match.group()

    return lambda text: pattern.sub(replaced, text) if needs in text else text


def _iban(candidate: str) -> int:
    # Imported late, like phonenumbers below, because only texts with a candidate need it.
    from stdnum import iban

    # Words in capitals after the number may look like its last groups.
    while candidate:
        if iban.is_valid(candidate):
            return len(candidate)
        candidate = candidate.rpartition(" ")[0]
    return 0


def _card(candidate: str) -> int:
    from stdnum import luhn

    def valid(number: str) -> bool:
        return luhn.is_valid(_CARD_GAP.sub("", number))

    if valid(candidate):
        return len(candidate)
    # A date or a security code after the number may look like its last groups.
    starts = (candidate[: gap.start()] for gap in _CARD_GAP.finditer(candidate))
    return next((len(start) for start in starts if len(_CARD_GAP.sub("", start)) in _CARD_DIGITS and valid(start)), 0)


def _ip_address(candidate: str) -> int:
    try:
        address = ipaddress.ip_address(candidate)
    except ValueError:
        return 0
    # Netmasks, loopback, multicast and reserved ranges belong to nobody; names in code (Bad::Face) fall into them too.
    if address.is_reserved or address.is_loopback or address.is_unspecified or address.is_multicast:
        return 0
    # Four single digits are far more often a version, an enzyme or a section than an address.
    return 0 if _FOUR_DIGITS.fullmatch(candidate) else len(candidate)


_mask_ip_4 = _mask(_IP_4, "ip_address", ".", _ip_address)
_mask_ip_6 = _mask(_IP_6, "ip_address", ":", _ip_address)
_MASKS: dict[PersonalKind, Callable[[str], str]] = {
    "email": _mask(_EMAIL, "email", "@", len),
    "iban": _mask(_IBAN, "iban", "", _iban),
    "card": _mask(_CARD, "card", "", _card),
    "social_security": _mask(_SOCIAL_SECURITY, "social_security", "-", len),
    "ip_address": lambda text: _mask_ip_6(_mask_ip_4(text)) if text.count(":") > 1 else _mask_ip_4(text),
}


def _mask_phones(text: str, region: str) -> str:
    import phonenumbers

    kept, position = [], 0
    for match in phonenumbers.PhoneNumberMatcher(text, region, phonenumbers.Leniency.VALID):
        if _BOOK.search(text, max(0, match.start - 12), match.start):
            continue
        kept += [text[position : match.start], PLACEHOLDERS["phone"]]
        position = match.end
    return "".join([*kept, text[position:]])
