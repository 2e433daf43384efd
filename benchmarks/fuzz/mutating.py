"""Damage of bytes, texts and JSON values, drawn by a generator."""

import copy
import json
import random
from typing import Any

CELLS = [
    *("a film", "The story is quite good, and the actors were never better.", "", " ", "0", "\x00", "\ufeff", "\u200b\u202e"),
    *("e\u0301" * 9, "caf\u00c3\u00a9", "\ud83d", "\ufffd", "\u0645\u0631\u062d\u0628\u0627", "&amp;lt;b&amp;gt;", "<b", "</script>"),
    *("<!--", "{\\displaystyle (", "a@b.example", "4111 1111 1111 1111", "+1 212 555 0199", "1.2.3.4", "::1", "x" * 300, "so " * 200),
    *("\r", "\r\n", "\n\n", "\t", '"', "'", "\\", "\x1b[1m", "\u0130\ufb01", "https://a.example", "NaN", "1e999", "\u2028", "\x85"),
    *("9" * 5000, "[" * 2000, "\U0001f600", "''", "`", "[MASK]", "[SEP] [PAD]", "##s", "-5 stars", "--help", "who r u", "."),
]
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 3, 7, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, float("inf"), float("nan")),
    *("", " ", "x", "bert", "0", "-1", "../../x", "/etc/passwd", "\x00", "\ud800", "x" * 5_000, "[MASK]", "1" * 5_000),
    *([], {}, [[]], [None], {"": None}, {"a": {"b": [1]}}, ["a", "a"], [0, 1, 2], {"0": "a", "1": "a"}),
]


def text_of(rng: random.Random, cells: int = 4) -> str:
    """Return a text of odd parts."""
    return "".join(rng.choices(CELLS, k=rng.randrange(1, cells)))


def damage(content: bytes, rng: random.Random, times: tuple[int, ...] = (0, 0, 0, 0, 0, 1, 3, 20)) -> bytes:
    """Return the content with flipped bits and with bytes that are inserted, removed and repeated."""
    data = bytearray(content)
    for _ in range(rng.choice(times)):
        place = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[place:place] = rng.randbytes(rng.randrange(1, 5))
        elif kind == 2:
            del data[place : place + rng.randrange(1, 40)]
        else:
            data[place:place] = data[: rng.randrange(60)]
    return bytes(data)


def changed(value: Any, rng: random.Random) -> Any:
    """Return a copy of a JSON value with one to three changes: values replaced, removed, repeated or renamed at any depth."""
    holder = [copy.deepcopy(value)]
    for _ in range(rng.randrange(1, 4)):
        _change(holder, rng)
    return holder[0]


def _change(place: Any, rng: random.Random) -> None:
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    key = rng.choice(keys)
    while isinstance(place[key], dict | list) and place[key] and rng.random() < 0.8:
        place = place[key]
        key = rng.choice(list(place) if isinstance(place, dict) else list(range(len(place))))
    kind = rng.random()
    if kind < 0.6:
        place[key] = copy.deepcopy(rng.choice(ODD))
    elif kind < 0.7:
        place[key] = [place[key]]
    elif isinstance(place, dict):
        kept = place.pop(key) if kind < 0.9 else place[key]
        if kind > 0.8:
            place[rng.choice(["", "x", "0", "kind", "file", key + "s"]) if isinstance(key, str) else "x"] = kept
    elif kind < 0.85 and len(place) > 1:
        del place[key]
    else:
        place.insert(key, copy.deepcopy(place[key]))


def damaged_json(content: bytes, rng: random.Random) -> bytes:
    """Return a JSON document with changed values, or with damaged bytes, or one that is nested very deeply."""
    kind = rng.random()
    if kind < 0.03:
        return b'{"a": ' + b"[" * 100_000
    if kind < 0.15:
        return damage(content, rng, (1, 2, 8))
    return json.dumps(changed(json.loads(content), rng)).encode("utf-8", "surrogatepass")
