"""Write abbreviations of chats and text messages in full, because a tokenizer splits them into letters at best."""

from __future__ import annotations

import re

# Only abbreviations that have one common reading; "w", "m8" or "lol" are left alone.
FULL = {
    "2day": "today",
    "2moro": "tomorrow",
    "abt": "about",
    "b4": "before",
    "bc": "because",
    "btw": "by the way",
    "coz": "because",
    "cuz": "because",
    "dis": "this",
    "dunno": "do not know",
    "gimme": "give me",
    "gonna": "going to",
    "gotta": "have to",
    "gr8": "great",
    "idk": "i do not know",
    "kinda": "kind of",
    "l8r": "later",
    "lemme": "let me",
    "msg": "message",
    "pls": "please",
    "plz": "please",
    "ppl": "people",
    "r": "are",
    "rn": "right now",
    "sth": "something",
    "thx": "thanks",
    "tmrw": "tomorrow",
    "u": "you",
    "ur": "your",
    "wanna": "want to",
    "wat": "what",
    "wen": "when",
    "whats": "what is",
    "wheres": "where is",
    "whos": "who is",
    "wut": "what",
    "y": "why",
    "ya": "you",
}
WORD = re.compile(r"\w+(?:'\w+)?")


def in_full(text: str) -> str:
    """Return a text with its abbreviations written in full. A text without abbreviations is returned unchanged."""
    return WORD.sub(lambda match: FULL.get(match[0].casefold(), match[0]), text)
