"""The accuracy of pronoun swaps on sentences that the rules were not written for."""

import csv
from pathlib import Path

from compactlm.fairness.swaps.counterfactual import Swapper

SENTENCES = Path(__file__).with_name("held_out_pronouns.tsv")
FLOOR = 0.92  # just under the 92.4 % that was measured


def test_pronouns_of_held_out_sentences_are_swapped_correctly(gender):
    rows = list(csv.DictReader(SENTENCES.read_text().splitlines(), delimiter="\t"))
    assert len(rows) >= 150
    swapper = Swapper(gender)
    wrong = [(row["text"], found) for row in rows if (found := swapper.swap(row["text"], "row")) != row["swapped"]]
    accuracy = 1 - len(wrong) / len(rows)
    assert accuracy >= FLOOR, f"{accuracy:.1%}: {wrong}"
