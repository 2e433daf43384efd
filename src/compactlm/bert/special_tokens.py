"""The special tokens of BERT. No torch."""

MASK = "[MASK]"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", MASK)
