"""Filter that masks personal data by typed placeholders: the kind of thing stays in the text, the thing itself does not."""

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
# What must not stand before a match is asked after its first character, so that the search can skip to that.
_IBAN = re.compile(r"[A-Z](?<!\w[A-Z])[A-Z]\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
# No issuer's numbers begin with 20 or 21, as years do.
_CARD = re.compile(r"[2-6](?<![\w.-][2-6])(?!(?<=2)[01])\d{3}[ -]?(?:\d[ -]?){8,14}\d(?![\w-])")
_CARD_GAP = re.compile(r"[ -]")
_CARD_DIGITS = (15, 16)  # of nearly all cards
_SOCIAL_SECURITY = re.compile(r"[0-8](?<![\w-][0-8])(?!(?<=0)00|(?<=6)66)\d{2}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_IP_4 = re.compile(r"\d(?<![\w.:]\d)\d{0,2}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_FOUR_DIGITS = re.compile(r"\d(?:\.\d){3}")
_IP_6 = re.compile(r"(?<![\w.:])(?:[0-9A-Fa-f]{1,4}:){1,7}(?::?[0-9A-Fa-f]{1,4}){1,7}(?![\w:]|\.\d)")
_BOOK = re.compile(r"\b(?:ISBN|ISSN|OCLC|PMID)(?:-1[03])?:?\s{0,3}$", re.IGNORECASE)
_MANY_DIGITS = re.compile(r"\d(?:[^\w\n,;:%$\"'!?]{0,3}\d){6}")
_LONG: frozenset[PersonalKind] = frozenset(("card", "social_security", "phone"))  # what is not there without so many digits


def mask_personal(text: str, kinds: Sequence[PersonalKind], region: str) -> str:
    """Put placeholders in the place of personal data of these kinds.

    Card numbers and IBANs are known by their check digits, phone numbers by the numbering plans of `phonenumbers`; a number
    that breaks these rules is left, so that prices, years and scores stay, and so are an IP address that can be nobody's and a
    number after ISBN or the like.

    Args:
        text: the text.
        kinds: what to mask.
        region: two letters of the country whose phone numbers are written without a country code.
    """
    long = _MANY_DIGITS.search(text) is not None
    for kind in PLACEHOLDERS:  # in this order whatever the order of `kinds`: a card number could be read as a phone number
        if kind in kinds and (long or kind not in _LONG):
            text = _mask_phones(text, region) if kind == "phone" else _MASKS[kind](text)
    return text


def count_masked(before: str, after: str) -> Counter[PersonalKind]:
    """Count the placeholders of each kind that `after` has and `before` did not have."""
    if "[" not in after:
        return Counter()
    counts = Counter(_KIND_OF[found] for found in _PLACEHOLDER.findall(after))
    counts.subtract(_KIND_OF[found] for found in _PLACEHOLDER.findall(before))
    return +counts


def _mask(pattern: re.Pattern[str], kind: PersonalKind, needs: str, valid: Callable[[str], int]) -> Callable[[str], str]:
    """Return a function that masks what matches; `valid` tells how many characters of a match belong to it, 0 for none."""

    def replaced(match: re.Match[str]) -> str:
        size = valid(match.group())
        return PLACEHOLDERS[kind] + match.group()[size:] if size else match.group()

    return lambda text: pattern.sub(replaced, text) if needs in text else text


def _iban(candidate: str) -> int:
    # Imported here, as phonenumbers below: only texts with such a candidate need it.
    from stdnum import iban

    # Words in capitals that follow may look like its last groups.
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
    # A date or a security code that follows may look like its last groups.
    starts = (candidate[: gap.start()] for gap in _CARD_GAP.finditer(candidate))
    return next((len(start) for start in starts if len(_CARD_GAP.sub("", start)) in _CARD_DIGITS and valid(start)), 0)


def _ip_address(candidate: str) -> int:
    try:
        address = ipaddress.ip_address(candidate)
    except ValueError:
        return 0
    # Nobody's: netmasks, this machine, groups of machines, and ranges never given out, where names in code (Bad::Face) lie.
    if address.is_reserved or address.is_loopback or address.is_unspecified or address.is_multicast:
        return 0
    # Four single digits number versions, enzymes and sections far more often than machines.
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
