"""E-mail and IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from compactlm.corpus.clean.filters.personal.beside import continues, found_before

_EMAIL = re.compile(r"(?<![\w+%-])[\w+%-][\w.+%-]{0,63}@(?:[^\W_][\w-]{0,62}\.){1,8}[^\W\d_]{2,24}(?!\w)")
# The lookbehinds come after the first character, so that the search can skip to that character.
_IP_4 = re.compile(r"\d(?<![^\W_]\d)(?<!\d[.]\d)\d{0,2}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_IP_6 = re.compile(r"[0-9A-Fa-f]{0,4}+(?>(?::[0-9A-Fa-f]{0,4}+){2,9})(?>(?:(?:\.\d{1,3}+){3})?)(?![\w:]|\.\d)")
_FOUR_DIGITS = re.compile(r"\d(?:\.\d){3}")
_PORT = re.compile(r":\d{2,5}(?![\w:])|/(?:[89]|[12]\d|3[0-2])(?![\w/])")  # or the length of a network's prefix
_HOST = re.compile(
    r"(?:\bip|addr|address|hosts?|hostname|clients?|servers?|dns|ping|gateway|resolver|peer|proxy|\b(?:src|dst|remote|local))[\s\"':=\[(]{0,3}$",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"(?<![^\W_])(?:v|ver|vers|version|release|rev|revision|update|build|firmware|driver|section|sect|sec|chapter|clause|ec|oid)s?[\s.:=]{0,3}$",
    re.IGNORECASE,
)


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each e-mail address."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield match.span()


def ip_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each IP address, except netmasks, software versions, and loopback, multicast and reserved addresses."""
    end = 0
    if text.count(":") > 1:
        for match in _IP_6.finditer(text):
            start = _start_of_ip_6(match, text)
            if start is not None:
                yield from _ip_4(text, end, start)
                yield start, match.end() - _trailing(match.group())
                end = match.end()
    yield from _ip_4(text, end, len(text))


def _ip_4(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    last = 0
    for match in _IP_4.finditer(text, start, end) if "." in text else ():
        if not _belongs_to_somebody(match.group()) or found_before(_VERSION, text, match.start()):
            continue
        # Four single digits are far more often a version, an enzyme or a section than an address.
        listed = last and continues(text, last, match.start())
        beside = _PORT.match(text, match.end()) or found_before(_HOST, text, match.start())
        if listed or beside or not _FOUR_DIGITS.fullmatch(match.group()):
            last = match.end()
            yield match.span()


def _start_of_ip_6(match: re.Match[str], text: str) -> int | None:
    """Return where the address starts. A word and a colon before it, as in addr:2001:db8::1, may look like its beginning."""
    found, start = match.group()[: len(match.group()) - _trailing(match.group())], match.start()
    glued = start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_")
    if not glued and _belongs_to_somebody(found):
        return start
    after = found.find(":") + 1
    return start + after if _belongs_to_somebody(found[after:]) else None


def _trailing(found: str) -> int:
    return int(found.endswith(":") and not found.endswith("::"))


def _belongs_to_somebody(candidate: str) -> bool:
    if candidate.endswith("::"):  # a network, as in fc00::/7
        return False
    try:
        address = ipaddress.ip_address(candidate)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local:  # no longer in use, and names in code (Feed::Bee) look like it
            return False
        address = address.ipv4_mapped or address
    # Names in code (Bad::Face) fall into reserved ranges too.
    return not (address.is_reserved or address.is_loopback or address.is_unspecified or address.is_multicast)
