"""The tally of a torture: faults and differences by kind and stage, kept in a file after each round."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from pathlib import Path
from typing import Any

from compactlm.artifacts import read_json, write_json

DATA = ("ingest", "clean", "split", "augment", "bias-audit", "tokenize")
TRAINING = ("teacher", "signals", "distill-train")
FOUND = 50  # differences that are described


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault: its kind, and the stage that it struck."""

    kind: str
    stage: str


class Tally:
    """Counts of faults, differences and sentences, which a later run continues."""

    def __init__(self, path: Path, seed: int) -> None:
        """Read the tally of an earlier run with the same seed, if there is one."""
        self.path = path
        content: dict[str, Any] = read_json(path) if path.is_file() else {}
        if content.get("seed") != seed:
            content = {}
        self.seed, self.rounds = seed, int(content.get("rounds", 0))
        self.faults: Counter[tuple[str, str]] = _read(content, "faults")
        self.differences: Counter[tuple[str, str]] = _read(content, "differences")
        self.sentences: Counter[str] = Counter(content.get("sentences", {}))
        self.found: list[Any] = content.get("found", [])
        self.commits: list[str] = content.get("commits", [])
        self.skipped: list[str] = content.get("skipped", [])
        self.minutes = float(content.get("minutes", 0.0))

    def add(self, faults: list[Fault], problems: list[str], stage: str, sentences: list[str], minutes: float) -> None:
        """Add a round; a problem counts as a difference of the last fault's kind at `stage`."""
        self.faults.update((fault.kind, fault.stage) for fault in faults)
        if problems:
            self.differences[(faults[-1].kind if faults else "none", stage)] += 1
            struck = [f"{fault.kind} at {fault.stage}" for fault in faults]
            self.found.append({"round": self.rounds, "faults": struck, "problems": [_elsewhere(one) for one in problems[:5]]})
        self.sentences.update(general(sentence) for sentence in sentences)
        self.rounds += 1
        self.minutes += minutes

    def write(self) -> None:
        """Write the tally in one step."""
        total = sum(self.faults.values())
        kinds, stages = sorted({kind for kind, _ in self.faults}), sorted({stage for _, stage in self.faults})
        content = {
            "seed": self.seed,
            "rounds": self.rounds,
            "minutes": round(self.minutes, 1),
            "commits": self.commits,
            "faults": total,
            "differences": sum(self.differences.values()),
            "data_stages": sum(count for (_, stage), count in self.faults.items() if stage in DATA),
            "training_stages": sum(count for (_, stage), count in self.faults.items() if stage in TRAINING),
            "by_kind": {kind: self._counts(0, kind) for kind in kinds},
            "by_stage": {stage: self._counts(1, stage) for stage in stages},
            "by_kind_and_stage": {
                name: {kind: {s: n for (k, s), n in sorted(counts.items()) if k == kind} for kind in sorted({k for k, _ in counts})}
                for name, counts in (("faults", self.faults), ("differences", self.differences))
            },
            "sentences": dict(self.sentences.most_common(60)),
            "skipped": self.skipped,
            "found": self.found[-FOUND:],
        }
        write_json(self.path, content)

    def _counts(self, part: int, name: str) -> dict[str, int]:
        return {
            "faults": sum(count for key, count in self.faults.items() if key[part] == name),
            "differences": sum(count for key, count in self.differences.items() if key[part] == name),
        }


def _read(content: dict[str, Any], name: str) -> Counter[tuple[str, str]]:
    kinds = content.get("by_kind_and_stage", {}).get(name, {})
    return Counter({(kind, stage): count for kind, stages in kinds.items() for stage, count in stages.items()})


def _elsewhere(problem: str) -> str:
    """Return a text without the machine's folders."""
    return re.sub(r"/[^\s\"']*/(?=site-packages/|src/|disk/project/)", "", problem)


def general(sentence: str) -> str:
    """Return a sentence without what differs between runs: paths of the machine and numbers."""
    plain = re.sub(r"/[^\s'\":;,)]*/disk/project/?", "", sentence)
    return re.sub(r"\b[0-9a-f]{16,}\b|\d+(\.\d+)?", "N", plain)[:300]
