"""Made texts with personal data and with ordinary numbers, drawn by a seed from templates.

Personal data are of the ranges that are reserved for documentation and fiction, or published as test numbers and examples.
"""

from __future__ import annotations

import random
from collections.abc import Callable

SURROUNDINGS = [
    "{}", "{}.", "({})", "we saw {} again", "Is it {}?", "yes, {}, and that is all", "{} was the first of 3", "then {}; nothing more",
    "In 2019 there were 12 of them and {} too", "note: {}", "a line\nwith {}\nbetween", "He wrote \"{}\" on it", "{} / done", "ok ... {}",
]  # fmt: skip
EMAILS = ["jane", "jane.doe", "j_doe", "jane+list", "JANE", "j-d", "info", "x1.y2", "mueller"]
DOMAINS = ["example.com", "example.org", "mail.example.net", "EXAMPLE.COM", "a.b.example", "my-site.example", "example.co.uk"]
CARDS = """4111111111111111 4012888888881881 4242424242424242 4000056655665556 5555555555554444 5105105105105100 5200828282828210
5454545454545454 2223003122003222 2223000048400011 378282246310005 371449635398431 6011111111111117
6011000990139424 3530111333300000 3566002020360505
30569309025904 38520000023237 6200000000000005 6759649826438453""".split()
IBANS = """GB82WEST12345698765432 DE89370400440532013000 FR1420041010050500013M02606 ES9121000418450200051332 NL91ABNA0417164300
BE68539007547034 IT60X0542811101000000123456 CH9300762011623852957 AT611904300234573201 SE4550000000058398257466 NO9386011117947
DK5000400440116243 FI2112345600000785 PL61109010140000071219812874 PT50000201231234567890154 IE29AIBK93115212345678
GR1601101250000000012300695 LU280019400644750000 HU42117730161111101800000000 CZ6508000000192000145399""".split()
SECURITY = ["078-05-1120", "219-09-9999", "457-55-5462"]
AREAS = "201 206 212 213 214 303 305 312 313 404 407 415 503 512 602 612 617 619 702 713 714 716 718 801 808 813 904 916 917 954".split()
SPACES = [" ", "\u00a0", "\u202f"]
DASHES = ["-", "-", "\u2010", "\u2011", "\u2013"]
Maker = Callable[[random.Random], str]


def email(draw: random.Random) -> str:
    return f"{draw.choice(['', 'mailto:', 'mail=', 'e-mail:'])}\0{draw.choice(EMAILS)}@{draw.choice(DOMAINS)}\0"


def ip_address(draw: random.Random) -> str:
    four = f"{draw.choice(['192.0.2', '198.51.100', '203.0.113'])}.{draw.randrange(256)}"
    groups = ":".join(f"{draw.randrange(1, 65536):x}" for _ in range(draw.randrange(1, 5)))
    six = draw.choice([f"2001:db8::{groups}", f"2001:0DB8:{groups.upper()}::1", f"::ffff:{four}", f"2001:db8:{draw.randrange(99)}::{four}"])
    before = draw.choice(["", "", "client:", "remote_addr:", "addr:", "ip=", "host ", "x_addr:", "peer: ", "[", "address:"])
    after = "]:8080" if before == "[" else draw.choice(["", "", "/24"])
    return f"{before}\0{draw.choice([four, six])}\0{after}"


def grouped(digits: str, sizes: list[int], gap: str) -> str:
    parts, place = [], 0
    for size in sizes:
        parts.append(digits[place : place + size])
        place += size
    return gap.join(part for part in [*parts, digits[place:]] if part)


def card(draw: random.Random) -> str:
    digits = draw.choice(CARDS)
    sizes = [4, 4, 4, 4] if len(digits) == 16 else [4, 6, 5]
    made = draw.choice([digits, *(grouped(digits, sizes, gap) for gap in [*SPACES, *DASHES, "."])])
    return f"{draw.choice(['', 'card:', 'Visa ', 'paid with ', 'cc=', 'card_'])}\0{made}\0{draw.choice(['', '', ' 12/27', ' CVC 123'])}"


def iban(draw: random.Random) -> str:
    digits = draw.choice(IBANS)
    written = draw.choice([digits, *(grouped(digits, [4] * 8, gap) for gap in [*SPACES, "-", "."])])
    before = draw.choice(["", "IBAN:", "iban ", "account=", "to "])
    return f"{before}\0{draw.choice([written, written.lower()])}\0{draw.choice(['', '', ' and more words', ' THANK YOU'])}"


def social_security(draw: random.Random) -> str:
    number = draw.choice(SECURITY)
    before = draw.choice(["", "SSN ", "ssn:", "social security number: ", "SSN is "])
    joints = ["-", *DASHES, *SPACES, ".", *([""] if before else [])]
    return f"{before}\0{number.replace('-', draw.choice(joints))}\0"


def phone(draw: random.Random) -> str:
    area, line = draw.choice(AREAS), f"01{draw.randrange(100):02d}"
    words = ["call ", "phone:", "Tel. ", "my number is ", "text me at ", "fax ", "mobile ", "reach us on ", "phone number "]
    dash = draw.choice(DASHES)
    plain = draw.choice([f"{area}555{line}", f"{area} 555 {line}", f"1 {area} 555 {line}", f"{area}\u00a0555\u00a0{line}"])
    separated = [
        f"{area}{dash}555{dash}{line}", f"({area}) 555-{line}", f"({area})555-{line}", f"{area}.555.{line}", f"1-{area}-555-{line}",
        f"+1 {area} 555 {line}", f"+1{area}555{line}", f"{area} 555-{line}", f"{area}/555-{line}", f"+1 ({area}) 555-{line}",
    ]  # fmt: skip
    abroad = [
        f"+44 20 7946 0{draw.randrange(1000):03d}", f"+4930 23125{draw.randrange(1000):03d}", f"+44 7700 900{draw.randrange(1000):03d}",
        f"+61 491 570 {draw.choice(['006', '156', '157', '158', '159', '110'])}", f"+33 1 99 00 {draw.randrange(10, 99)} 34",
        f"0044 20 7946 0{draw.randrange(1000):03d}", f"+447700900{draw.randrange(1000):03d}", f"+44 (0)20 7946 0{draw.randrange(1000):03d}",
    ]  # fmt: skip
    kind = draw.randrange(4)
    if kind == 0:
        return f"{draw.choice(words)}\0{plain}\0" if draw.random() < 0.9 else f"\0{plain}\0 (cell)"
    return f"{draw.choice(['', '', *words])}\0{draw.choice(abroad if kind == 1 else separated)}\0"


PERSONAL: dict[str, Maker] = {
    "email": email, "ip_address": ip_address, "card": card, "iban": iban, "social_security": social_security, "phone": phone,
}  # fmt: skip


def number(draw: random.Random, digits: int) -> str:
    return str(draw.randrange(10 ** (digits - 1), 10**digits))


def checked(digits: str, weights: tuple[int, int]) -> str:
    """Return digits with the check digit of Luhn, weights (2, 1), or of article numbers, weights (3, 1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        product = int(digit) * weights[place % 2]
        total += product - 9 if weights[0] == 2 and product > 9 else product
    return f"{digits}{-total % 10}"


def code(draw: random.Random) -> str:
    return draw.choice(["serial ", "order ", "order no. ", "invoice:", "", "", "id=", "about ", "#", "no. ", "total "])


def hour(draw: random.Random) -> str:
    day = f"{draw.randrange(1950, 2040)}{draw.randrange(1, 13):02d}{draw.randrange(1, 29):02d}"
    return code(draw) + day + draw.choice([f"{draw.randrange(24):02d}", f"{draw.randrange(24):02d}{draw.randrange(60):02d}", ""])


def date(draw: random.Random) -> str:
    year, month, day = draw.randrange(1950, 2040), draw.randrange(1, 13), draw.randrange(1, 29)
    clock = f"{draw.randrange(24):02d}:{draw.randrange(60):02d}:{draw.randrange(60):02d}"
    forms = [f"{year}-{month:02d}-{day:02d} {clock}", f"{month}/{day}/{year}", f"{day}.{month}.{year}", f"{year}-{year + 4}", clock]
    return draw.choice([*forms, f"{year} {year + 1} {year + 2} {year + 3}", f"{year}.{month:02d}.{day:02d}.{clock[:2]}"])


def measured(draw: random.Random) -> str:
    forms = [
        f"${draw.randrange(1, 999)},{number(draw, 3)},{number(draw, 3)}.00",
        f"{number(draw, 3)} x {number(draw, 4)} x {number(draw, 3)}",
    ]
    forms += [
        f"{draw.uniform(-90, 90):.6f}, {draw.uniform(-180, 180):.7f}",
        f"{number(draw, 7)} people",
        f"{number(draw, 3)}-{number(draw, 4)}",
    ]
    return draw.choice([*forms, f"{number(draw, 2)}.{number(draw, 2)}.{number(draw, 3)}", f"{number(draw, 5)}-{number(draw, 4)}"])


def version(draw: random.Random) -> str:
    parts = [str(draw.randrange(99)) for _ in range(4)]
    word = draw.choice(["version ", "v", "Version ", "release ", "section ", "build "])
    return draw.choice([word + ".".join(parts), ".".join(map(str, draw.choices(range(10), k=4))), word + ".".join(parts[:3]), "EC 2.7.3.2"])


def hexadecimal(draw: random.Random) -> str:
    pairs = [f"{draw.randrange(256):02x}" for _ in range(16)]
    raw = "".join(pairs)
    scopes = draw.choice(["Bad::Face", "std::string", "A::B", "Face::add(2)", "db8::Row", "x = a[1::2]"])
    return draw.choice([":".join(pairs[:6]), ":".join(pairs), f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}", raw, scopes])


def book(draw: random.Random) -> str:
    ten, body = number(draw, 9), f"978{number(draw, 9)}"
    thirteen = checked(body, (3, 1))
    hyphens = f"{thirteen[:3]}-{thirteen[3]}-{thirteen[4:6]}-{thirteen[6:12]}-{thirteen[12]}"
    return draw.choice(
        [f"ISBN {hyphens}", f"ISBN-10: {ten[0]}-{ten[1:5]}-{ten[5:]}-X", f"ISBN {thirteen}", hyphens, f"PMID {number(draw, 8)}"]
    )


ORDINARY: dict[str, Maker] = {
    "hour of a day": hour,
    "order of 10 digits": lambda draw: code(draw) + number(draw, 10),
    "decimal": lambda draw: draw.choice(["", "x = ", "at "]) + f"{number(draw, 3)}.{number(draw, 7)}",
    "triple": lambda draw: code(draw) + f"{number(draw, 3)} {number(draw, 3)} {number(draw, 4)}",
    "article of 13 digits": lambda draw: draw.choice(["EAN ", "article ", "", code(draw)]) + checked(number(draw, 12), (3, 1)),
    "number of 13 digits": lambda draw: code(draw) + number(draw, 13),
    "IMEI": lambda draw: draw.choice(["IMEI ", "IMEI: ", ""]) + checked(draw.choice(["35", "86", "01", "99"]) + number(draw, 12), (2, 1)),
    "parcel of 16 digits": lambda draw: draw.choice(["parcel ", "tracking number ", "order ", code(draw)]) + number(draw, 16),
    "date": date,
    "measure": measured,
    "version": version,
    "hexadecimal": hexadecimal,
    "book": book,
}


def made(kind: str, count: int, seed: int = 17) -> list[tuple[str, str]]:
    """Return texts of a kind, each with the text in which a placeholder in its kind's form stands for the personal data."""
    draw = random.Random(f"{seed} {kind}")
    found = []
    for _ in range(count):
        text = draw.choice(SURROUNDINGS).format((PERSONAL | ORDINARY)[kind](draw))
        before, *rest = text.split("\0")
        found.append((before + "".join(rest), f"{before}[{kind.upper()}]{rest[1]}" if rest else text))
    return found
