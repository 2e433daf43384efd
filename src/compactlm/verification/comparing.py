"""The comparison of an artifact with its committed sketch or text."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
from collections.abc import Sequence

from compactlm.verification.bounds import EXACT_STAGES, NEAR_ZERO, NUMBERS, ROWS, STEP, SUMS, WEIGHTS, gap
from compactlm.verification.json_files import compare_json
from compactlm.verification.metrics import differences
from compactlm.verification.sketches import BUCKETS, Sketch

SAME, ROUNDING, DIFFERENT = "the same bytes", "the same within rounding", "different"
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The verdict about a file.

    Attributes:
        path: the file.
        verdict: SAME, ROUNDING or DIFFERENT.
        distance: the greatest difference as a share of its bound, at most 1 within rounding; infinite where no bound applies.
        reason: what differs most, or nothing.
    """

    path: str
    verdict: str
    distance: float = 0.0
    reason: str = ""


def compare_sketches(path: str, stage: str, old: Sketch, new: Sketch) -> Comparison:
    """Compare two sketches of a file."""
    if old["sha256"] == new["sha256"]:
        return Comparison(path, SAME)
    if "tensors" in old and "tensors" in new:
        return _judged(path, *_tensors(old, new))
    if "buckets" in old and "buckets" in new:
        return _judged(path, *_tables(old, new, stage))
    if "words" in old and "words" in new:
        return _judged(path, *compare_json(old, new))
    return Comparison(path, DIFFERENT, math.inf, "its bytes")


def compare_texts(path: str, old: str, new: str) -> Comparison:
    """Compare two texts: numbers may differ by rounding, and everything else must be equal."""
    if old == new:
        return Comparison(path, SAME)
    if path.endswith(".json"):
        found = differences(json.loads(old), json.loads(new))
        return _judged(path, *max(found, key=lambda one: one[0], default=(0.0, "the layout")))
    if NUMBER.split(old) != NUMBER.split(new):
        line = next(
            (
                at
                for at, pair in enumerate(itertools.zip_longest(old.splitlines(), new.splitlines()), 1)
                if _words(pair[0]) != _words(pair[1])
            ),
            1,
        )
        return Comparison(path, DIFFERENT, math.inf, f"the words of line {line}")
    pairs = list(zip(NUMBER.findall(old), NUMBER.findall(new), strict=True))
    worst = max(pairs, key=lambda pair: gap(float(pair[0]), float(pair[1])))
    return _judged(path, gap(float(worst[0]), float(worst[1])) / NUMBERS, f"{worst[0]} is {worst[1]}")


def _words(line: str | None) -> list[str] | None:
    return None if line is None else NUMBER.split(line)


def _judged(path: str, distance: float, reason: str) -> Comparison:
    return Comparison(path, ROUNDING if distance <= 1 else DIFFERENT, distance, reason)


def _tensors(old: Sketch, new: Sketch) -> tuple[float, str]:
    if old["structure"] != new["structure"]:
        return math.inf, "names, types or shapes of tensors"
    if old.get("not_finite", 0) != new.get("not_finite", 0):
        return math.inf, f"the number of values that are not finite ({new.get('not_finite', 0):,} instead of {old.get('not_finite', 0):,})"
    greatest, where = 0.0, "values between the samples"
    for number, (before, after) in enumerate(zip(old["tensors"], new["tensors"], strict=True)):
        bound = max(WEIGHTS * max(before[0], after[0]), STEP if isinstance(before[-1], int) else 0.0)
        distance = _tensor_distance(before, after) / bound if bound else 0.0
        if distance > greatest:
            greatest, where = distance, f"tensor {number} in the order of names"
    return greatest, where


def _tensor_distance(before: Sequence[float], after: Sequence[float]) -> float:
    return max(abs(one - other) for one, other in zip(before, after, strict=True))


def _tables(old: Sketch, new: Sketch, stage: str) -> tuple[float, str]:
    if old["columns"] != new["columns"]:
        return math.inf, "its columns"
    changed = sum(old["buckets"][at : at + 4] != new["buckets"][at : at + 4] for at in range(0, 4 * BUCKETS, 4))
    if stage in EXACT_STAGES and (changed or old["rows"] != new["rows"]):
        return math.inf, f"its rows ({old['rows']:,} and {new['rows']:,})"
    # The expected number of changed rows when so many of the buckets have one (linear counting, Whang et al. 1990).
    estimated = math.inf if changed == BUCKETS else -BUCKETS * math.log(1 - changed / BUCKETS)
    shares = {"rows": max(estimated, abs(old["rows"] - new["rows"])) / max(1, old["rows"]) / ROWS}
    for name, sums in old["sums"].items():
        near = NEAR_ZERO * max(1, old["rows"])
        pairs = zip(sums, new["sums"][name], strict=True)
        shares[name] = max(0.0 if abs(one - other) <= near else gap(one, other) / SUMS for one, other in pairs)
    worst = max(shares, key=lambda name: shares[name])
    return shares[worst], f"about {estimated:.0f} of {old['rows']:,} rows" if worst == "rows" else f"the column {worst}"
