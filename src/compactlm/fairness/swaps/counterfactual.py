"""Counterfactual texts: the same text with the words of one group replaced by those of another.

Counterfactual data augmentation (Lu et al. 2018, https://arxiv.org/abs/1807.11714) balances what a model learns about groups. Each text
that mentions a group gets a copy about another group, with the same label.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from compactlm.artifacts import Document, derived_id
from compactlm.draws import draw_bits
from compactlm.fairness.groups import longest_first, word_pattern
from compactlm.fairness.swaps.grammar import agree_article, match_case
from compactlm.fairness.swaps.pronouns import is_possessive
from compactlm.params import Attribute, Task
from compactlm.tasks import kind_of

AUGMENTER = "counterfactual"
REASONS = ("no_mention", "no_counterpart", "unchanged")


class Swapper:
    """Swaps the words of an attribute's groups. The words of two groups are exchanged; with three or more groups, the target is drawn."""

    def __init__(self, attribute: Attribute) -> None:
        """Take the attribute. Words of its groups that are not in `swaps` have no counterpart."""
        self.groups = list(attribute.groups)
        owners = {word: group for group, words in attribute.groups.items() for word in words}
        # The capturing group of the pattern identifies the word. Its spelling cannot, because case folding changes some letters (such as
        # Turkish ones), so the text may spell a word differently from the lexicon.
        self.found = [(owners[word], word.casefold()) for word in longest_first(owners)]
        self.pattern = word_pattern(owners, named=True)
        self.always = self._counterparts(attribute.swaps)
        self.before_noun = self._counterparts(attribute.swaps_before_noun)

    def _counterparts(self, swaps: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], Mapping[str, str]]:
        found: dict[tuple[str, str], Mapping[str, str]] = {}
        for swap in swaps:
            for group, word in swap.items():
                found.setdefault((group, word.casefold()), swap)
        return found

    def swap(self, text: str, row: str) -> str | None:
        """Return the counterfactual text; None if the text mentions no group or has a word without a counterpart.

        With three groups or more, the id of the row draws the target group.
        """
        parts, end = "", 0
        for found in self.pattern.finditer(text):
            replacement = self._replace(self.found[(found.lastindex or 1) - 1], text[: found.start()], text[found.end() :], row)
            if replacement is None:
                return None
            before = parts + text[end : found.start()]
            parts, end = agree_article(before, replacement) + match_case(replacement, found[0]), found.end()
        return parts + text[end:] if end else None

    def target(self, group: str, row: str) -> str:
        """Return the group whose words replace those of `group` in a row. With three or more groups, the id of the row draws it."""
        steps = 1 + draw_bits(row) % (len(self.groups) - 1)
        return self.groups[(self.groups.index(group) + steps) % len(self.groups)]

    def _replace(self, key: tuple[str, str], before: str, after: str, row: str) -> str | None:
        target = self.target(key[0], row)
        swap = self.before_noun.get(key) if key in self.before_noun and is_possessive(key[1], before, after) else self.always.get(key)
        return swap[target] if swap else None

    def mentions(self, text: str) -> bool:
        """Return whether a text has a word of any group."""
        return self.pattern.search(text) is not None


@dataclasses.dataclass(frozen=True)
class Counterfactuals:
    """The copies, sorted by id, and the number of rows without a copy, by attribute and reason (all of REASONS)."""

    copies: list[Document]
    without: dict[str, dict[str, int]]


def make_counterfactuals(rows: Iterable[Document], attributes: Mapping[str, Attribute], task: Task | None = None) -> Counterfactuals:
    """Copy every labelled row that mentions a group, with the words swapped, once for each attribute that is found in text.

    A copy has its row's label and document, and names the row as its parent. It depends only on this row. Both texts of a pair are swapped.
    A row whose labels would not fit the swapped text, such as an answer in a passage, counts as a row without a counterpart.

    Args:
        rows: the rows.
        attributes: the attributes, by name.
        task: the task of the rows; None for labels of single texts.
    """
    copies, without = [], {name: dict.fromkeys(REASONS, 0) for name in attributes}
    listed = [
        row for row in rows if row.task is not None and (kind_of(task).is_labelled(row) if task is not None else row.label is not None)
    ]
    for name, attribute in attributes.items():
        swapper = Swapper(attribute)
        for row in listed:
            swapped = swap_row(row, swapper, task)
            if isinstance(swapped, str):
                without[name][swapped] += 1
            else:
                own = derived_id(row.id, AUGMENTER, name, swapped.text, *([] if swapped.pair is None else [swapped.pair]))
                copies.append(dataclasses.replace(swapped, id=own, parent=row.id, augmenter=f"{AUGMENTER}_{name}", queries=()))
    return Counterfactuals(sorted(copies, key=lambda copy: copy.id), without)


def swap_row(row: Document, swapper: Swapper, task: Task | None = None) -> Document | str:
    """Return a row with the words of another group in its text (or both texts of a pair), or one of REASONS; see make_counterfactuals."""
    texts = [row.text] if row.pair is None else [row.text, row.pair]
    mentioning = [swapper.mentions(text) for text in texts]
    if not any(mentioning):
        return "no_mention"
    found = [swapper.swap(text, row.id) if mentions else text for text, mentions in zip(texts, mentioning, strict=True)]
    new = [text for text in found if text is not None]
    if len(new) < len(texts) or row.answer_start is not None:
        return "no_counterpart"
    if new == texts:
        return "unchanged"
    if row.words is None or task is None:
        return dataclasses.replace(row, text=new[0], pair=None if row.pair is None else new[1])
    return kind_of(task).edited(row, " ".join(new[0].split())) or "no_counterpart"
