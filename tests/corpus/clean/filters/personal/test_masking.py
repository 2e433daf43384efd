import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus.clean.filters.personal.accounts import cards, ibans, social_security_numbers
from compactlm.corpus.clean.filters.personal.addresses import emails, ip_addresses
from compactlm.corpus.clean.filters.personal.masking import count_masked, mask_personal
from compactlm.corpus.clean.filters.personal.placeholders import PLACEHOLDERS

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
        ("client:203.0.113.9 remote_addr:8.8.8.8, x", "client:[IP_ADDRESS] remote_addr:[IP_ADDRESS], x"),
        ("addr:2001:db8::1 and ::ffff:203.0.113.77", "addr:[IP_ADDRESS] and [IP_ADDRESS]"),
        ("peer:::ffff:203.0.113.7, [2001:db8::1]:443, dead:2001:db8::1", "peer:[IP_ADDRESS], [[IP_ADDRESS]]:443, dead:[IP_ADDRESS]"),
        ("DNS 8.8.8.8 and 1.1.1.1", "DNS [IP_ADDRESS] and [IP_ADDRESS]"),
        ("4111.1111.1111.1111, 4111_1111_1111_1111, 4111\u00a01111\u00a01111\u00a01111", "[CARD], [CARD], [CARD]"),
        ("3000 4111 1111 1111 1111 1225, card:41111111 11111111", "3000 [CARD] 1225, card:[CARD]"),
        ("de89370400440532013000 and de89 3704 0044 0532 0130 00 please", "[IBAN] and [IBAN] please"),
        ("219 09 9999 / 219.09.9999 / SSN 219099999", "[SOCIAL_SECURITY] / [SOCIAL_SECURITY] / SSN [SOCIAL_SECURITY]"),
        ("4111/1111/1111/1111, 4111\u00b71111\u00b71111\u00b71111 12/27, 219/09/9999", "[CARD], [CARD] 12/27, [SOCIAL_SECURITY]"),
        ("from 8.8.4.4:443 to 9.9.9.9/24", "from [IP_ADDRESS]:443 to [IP_ADDRESS]/24"),
        ("ring me on 07700 900123 or 07700 900124; tel. (030) 23125000", "ring me on [PHONE] or [PHONE]; tel. [PHONE]"),
        ("Helpline: 0808 157 0192. Or call 01 99 00 12 34.", "Helpline: [PHONE]. Or call [PHONE]."),
        ("(...jane@example.org)", "(...[EMAIL])"),
        ("phone: 212 555 0123 and 2125550124, 1 212 555 0125 (cell)", "phone: [PHONE] and [PHONE], [PHONE] (cell)"),
        ("(212-555-0123) or +447700900123, (0049) 30 23125000", "([PHONE]) or [PHONE], [PHONE]"),
        ("call 555-0123 or 555-0124; WhatsApp 0044 7700 900123", "call [PHONE] or [PHONE]; WhatsApp [PHONE]"),
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
        "version 1.2.3.4:20, section 1.2.3.4 and 1.2.3.4:5",
        "on 06/15/2024, 2024/06/15/12/30/4111 and 119/09/99991",
        "call on 01/02/2024 10:00 or on 01.02.2024, between 0800 and 1200; phone order no. 0123456789, text 0.123456789",
        "it is 020 7946 0958 wide",
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
        "serial 2024061501, order 2125550123 and 2125550123 alone",
        "512.3456789 of 512 345 6789, in 512-3456789",
        "phone the shop about order no. 2125550123, an iPhone 2125550123",
        "EAN 4006381333931, IMEI 352099001761481, order 4111111111111111",
        "123 219 09 9999, 219 09 9999 5, 219099999, 219-09-9999-1",
        "version 12.4.1.16, section 2.10.3.4, v22.33.44.55, 10.0.19041.1",
        "the range fc00::/7, Feed::Bee, a[2::3], 00:1a:2b:3c:4d:5e, 1:02:03:04:05:06:07:08:09",
        "between 200-3000 people, a ratio of 555-0123",
        "+2024061501 points, 2026.04.22.16",
        "a disc (ISBN 8-5857-9659-6), ISBN-10: 212-736-5000, PMID 2127365000",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask_personal(text, ALL, "US") == text


def test_only_the_given_kinds_are_masked_and_the_region_decides_about_phone_numbers() -> None:
    assert mask_personal("a@b.example, 192.168.0.1", ["ip_address"], "US") == "a@b.example, [IP_ADDRESS]"
    assert mask_personal("ruf 030 901820 an", ["phone"], "DE") == "ruf [PHONE] an"
    assert mask_personal("von 030/901820, 030-901820 und 030 901820", ["phone"], "DE") == "von [PHONE], [PHONE] und [PHONE]"
    assert mask_personal("von 030/901820 und 030 901820", ["phone"], "US") == "von 030/901820 und 030 901820"


LONG = [
    "4111 ",
    "4111",
    "DE89 ",
    "de89",
    "ab12",
    "a@",
    "a.",
    "@a.",
    "+1 ",
    "001 ",
    "::",
    "2001:",
    "1.",
    "1.1.1.1, ",
    "219 09 ",
    "call 1",
    "ffff:",
]


@pytest.mark.parametrize("token", [*LONG, "555-", "(2", "1a ", "addr:", "8.8.8.8 and ", "call 555-0123, ", "_1", "\u00a0"])
def test_time_grows_in_proportion_to_the_text(token: str) -> None:
    text = token * (100_000 // len(token))
    start = time.process_time()
    for find in (emails, ip_addresses, ibans, cards, social_security_numbers):
        assert len(list(find(text))) < len(text)
    assert time.process_time() - start < 10  # seconds; time that grows with the square of the length would be minutes
    start = time.process_time()
    mask_personal(text, ["phone"], "US")
    assert time.process_time() - start < 30  # phonenumbers takes most of it


def test_placeholders_are_no_words_beside_a_number() -> None:
    text = mask_personal("call 212-555-0123 at 10 about 2024061501, or 555-0124, to [PHONE] 2024061501 times", ALL, "US")
    assert text == mask_personal(text, ALL, "US") == "call [PHONE] at 10 about 2024061501, or 555-0124, to [PHONE] 2024061501 times"


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
