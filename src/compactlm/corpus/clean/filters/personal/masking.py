"""A filter that replaces personal data by a placeholder of its kind, such as [EMAIL]."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from compactlm.corpus.clean.filters.personal.accounts import cards, ibans, social_security_numbers
from compactlm.corpus.clean.filters.personal.addresses import emails, ip_addresses
from compactlm.corpus.clean.filters.personal.phones import phones
from compactlm.corpus.clean.filters.personal.placeholders import PLACEHOLDERS
from compactlm.params import PersonalKind

_PLACEHOLDER = re.compile("|".join(re.escape(placeholder) for placeholder in PLACEHOLDERS.values()))
_KIND_OF = {placeholder: kind for kind, placeholder in PLACEHOLDERS.items()}
_MANY_DIGITS = re.compile(r"\d(?:(?:[^\w\n,;:%$\"'!?]|_){0,3}\d){6}")
_LONG: frozenset[PersonalKind] = frozenset(("card", "social_security", "phone"))  # kinds that need at least seven digits


def mask_personal(text: str, of: Sequence[PersonalKind], region: str) -> str:
    """Replace personal data of these kinds by placeholders; `region` is the country (two letters) of phone numbers without a country code.

    Card numbers and IBANs are recognised by their check digits, and phone numbers by the numbering plans of `phonenumbers`. Digits alone
    are a phone number only next to a word such as "call". Other numbers are kept, such as prices, years, decimal numbers and serial
    numbers. IP addresses that belong to nobody and numbers after "ISBN" or similar words are kept, too.
    """
    long = _MANY_DIGITS.search(text) is not None
    finders: dict[PersonalKind, Callable[[str], Iterable[tuple[int, int]]]] = {
        "email": emails,
        "iban": ibans,
        "card": cards,
        "social_security": social_security_numbers,
        "ip_address": ip_addresses,
        "phone": functools.partial(phones, region=region),
    }
    for kind in PLACEHOLDERS:  # the order is fixed because a card number can look like a phone number
        if kind in of and (long or kind not in _LONG):
            text = _replace(text, finders[kind](text), PLACEHOLDERS[kind])
    return text


def _replace(text: str, spans: Iterable[tuple[int, int]], placeholder: str) -> str:
    kept, position = [], 0
    for start, end in spans:
        kept += [text[position:start], placeholder]
        position = end
    return "".join([*kept, text[position:]]) if kept else text


def count_masked(before: str, after: str) -> Counter[PersonalKind]:
    """Count the placeholders of each kind that are in `after` but not in `before`."""
    if "[" not in after:
        return Counter()
    counts = Counter(_KIND_OF[found] for found in _PLACEHOLDER.findall(after))
    counts.subtract(_KIND_OF[found] for found in _PLACEHOLDER.findall(before))
    return +counts
