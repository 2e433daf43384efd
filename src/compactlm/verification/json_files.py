"""Sketches of JSON files: a digest of their words, and some of their numbers."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from compactlm.verification.bounds import number_bound

KEPT = 32  # numbers of a file
SHA256 = re.compile(r"[0-9a-f]{64}")  # of another artifact, which has a sketch of its own


def json_sketch(path: Path) -> dict[str, Any]:
    """Return a digest of keys, words and places of numbers, and at most KEPT numbers, evenly spread."""
    numbers: list[float] = []
    words = json.dumps(_words(json.loads(path.read_text(encoding="utf-8")), numbers))
    chosen = numbers if len(numbers) <= KEPT else [numbers[len(numbers) * at // KEPT] for at in range(KEPT)]
    return {"words": hashlib.sha256(words.encode()).hexdigest()[:16], "numbers": [_rounded(one) for one in chosen]}


def compare_json(old: dict[str, Any], new: dict[str, Any]) -> tuple[float, str]:
    """Return the greatest difference of two sketches as a share of its bound, and what differs."""
    if old["words"] != new["words"] or len(old["numbers"]) != len(new["numbers"]):
        return float("inf"), "its keys or words"
    pairs = zip(old["numbers"], new["numbers"], strict=True)
    shares = [(abs(one - other) / number_bound(one, other), f"{other:.6g} instead of {one:.6g}") for one, other in pairs]
    return max(shares, default=(0.0, "a digest, or a number that is not kept"))


def _words(value: Any, numbers: list[float]) -> Any:
    """Return a JSON value without numbers and digests; add the numbers to `numbers`."""
    if isinstance(value, dict):
        return {key: _words(value[key], numbers) for key in sorted(value)}
    if isinstance(value, list):
        return [_words(one, numbers) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        numbers.append(value)
        return 0
    return "" if isinstance(value, str) and SHA256.fullmatch(value) else value


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.6g}")
