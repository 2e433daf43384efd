"""Texts that are hard to segment, for property tests."""

from hypothesis import strategies as st

HARD = [
    "",
    " ",
    "\u200b",  # zero-width space
    "\u200d",  # zero-width joiner
    "\ufe0f",  # variation selector
    "\u0301",  # combining accent alone
    "\x00",
    "\ufffd",
    "👩‍👩‍👧‍👦",
    "🇨🇭",
    "👍🏽",
    "שלום",
    "مرحبا",
    "\u202eright-to-left\u202c",
    "東京",
    "नमस्ते",
    "Ünïcödé",
    "İstanbul",
    "ﬁne",
    "don't",
    "3.5%",
    "[SEP]",
    "[CLS]",
    "[MASK]",
    "a" * 300,
]

# Every character but half a surrogate pair, which is no text.
CHARACTERS = st.characters(exclude_categories=["Cs"])
WORDS = st.one_of(st.sampled_from(HARD), st.text(CHARACTERS, max_size=6), st.sampled_from(["film", "was", "good", "dog", "played", "Bern"]))
SENTENCES = st.lists(WORDS, max_size=30)
LENGTHS = st.integers(5, 40)
OVERLAPS = st.integers(0, 40)
