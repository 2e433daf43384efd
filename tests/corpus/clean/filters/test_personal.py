from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus.clean.filters.personal import PLACEHOLDERS, count_masked, mask_personal

ALL = tuple(PLACEHOLDERS)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to jane.doe+list@mail.example.co.uk, please", "write to [EMAIL], please"),
        ("M\u00fcller: m\u00fcller@b\u00fccher.example", "M\u00fcller: [EMAIL]"),
        ("pay with 4111 1111 1111 1111 or 5500-0000-0000-0004.", "pay with [CARD] or [CARD]."),
        ("cards 4111 1111 1111 1111 12/27, 3782 822463 10005 1234", "cards [CARD] 12/27, [CARD] 1234"),
        ("4111-1111-1111-1111-123 and 4111111111111111 123", "[CARD]-123 and [CARD] 123"),
        ("from 203.0.113.7:8080, and from 203.0.113.7: nothing", "from [IP_ADDRESS]:8080, and from [IP_ADDRESS]: nothing"),
        ("IBAN GB82 WEST 1234 5698 7654 32 AND MORE", "IBAN [IBAN] AND MORE"),
        ("DE89370400440532013000", "[IBAN]"),
        ("SSN 219-09-9999", "SSN [SOCIAL_SECURITY]"),
        ("from 192.168.0.1, and 2001:db8::ff00:42:8329!", "from [IP_ADDRESS], and [IP_ADDRESS]!"),
        ("the ISBN is unknown; call 212-736-5000", "the ISBN is unknown; call [PHONE]"),
        ("user 71.207.219.120 or 2601:406:c202:7591:82a:7dee:f0f0:4077", "user [IP_ADDRESS] or [IP_ADDRESS]"),
        ("call (212) 736-5000 or +44 20 7946 0958 now", "call [PHONE] or [PHONE] now"),
    ],
)
def test_personal_data_are_masked(text: str, masked: str) -> None:
    assert mask_personal(text, ALL, "US") == masked


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112 fails its check digit",
        "GB82 WEST 1234 5698 7654 33 does so too",
        "from 1999 to 2004, 10 out of 10",
        "on 2004-10-12 at 10:30:05",
        "it cost $1,234,567.89 in version 10.4.1",
        "1914-1918 and 1939-1945",
        "in 2010 2011 2012 2013 2014, and in 2010-2011-2012-2013",
        "ISBN 978-3-16-148410-0",
        "300.400.500.600 is no address",
        "@handle and user@localhost",
        "pi is 3.14159265358979",
        "000-12-3456",
        "the enzyme EC 2.7.3.2, in version 1.2.3.4",
        "the subnet mask 255.255.255.0, and 127.0.0.1 or 0.0.0.0",
        "call Bad::Face or A::B, at 10:30:05",
        "a disc (ISBN 8-5857-9659-6), ISBN-10: 212-736-5000, PMID 2127365000",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask_personal(text, ALL, "US") == text


def test_only_the_given_kinds_are_masked_and_the_region_decides_about_phone_numbers() -> None:
    assert mask_personal("a@b.example, 192.168.0.1", ["ip_address"], "US") == "a@b.example, [IP_ADDRESS]"
    assert mask_personal("ruf 030 901820 an", ["phone"], "DE") == "ruf [PHONE] an"
    assert mask_personal("ruf 030 901820 an", ["phone"], "US") == "ruf 030 901820 an"


TOKENS = ["a@b.example", "4111111111111111", "219-09-9999", "10.0.0.1", "+1 212 736 5000", " ", "x", "1", "@", "-", "."]


@given(st.lists(st.sampled_from(TOKENS), max_size=8).map("".join))
def test_masking_adds_only_placeholders_and_counts_them(text: str) -> None:
    masked = mask_personal(text, ALL, "US")
    rest = masked
    for placeholder in PLACEHOLDERS.values():
        rest = rest.replace(placeholder, "")
    position = iter(text)
    assert all(character in position for character in rest)  # a subsequence
    assert count_masked(text, masked).total() == masked.count("[")


def test_placeholders_of_the_original_are_not_counted() -> None:
    assert count_masked("[EMAIL] and a@b.example", "[EMAIL] and [EMAIL]") == Counter({"email": 1})
    assert count_masked("no", "no") == Counter()
