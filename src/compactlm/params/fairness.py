"""The section of the bias audit: protected attributes, mitigation, and limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictStr, model_validator

from compactlm.params.base import Count, Fraction, Name, NotNegative, Section


def _one_space(word: str) -> str:
    # A text may have any white space between the parts of a word, so white space does not distinguish words.
    tidy = " ".join(word.split())
    if not tidy:
        raise ValueError(f"{word!r} is not a word; remove or replace it")
    return tidy


Word = Annotated[StrictStr, AfterValidator(_one_space)]
Words = Annotated[list[Word], Field(min_length=1)]
Swap = dict[Name, Word]


class Attribute(Section):
    """A protected attribute and its groups.

    `groups` maps the name of each group to words or values. With `found_in: text`, a row belongs to a group if its text contains one of the
    words as a whole word. With `found_in: column`, a row belongs to the group that lists its value in a column; the source names the column
    in columns.attributes. All groups are compared with the `privileged` one. Each entry of `swaps` has one word per group, and
    counterfactual texts exchange these words. Entries of `swaps_before_noun` apply only before a noun phrase (her book: his book). A word
    of a swap need not be in `groups` (actor), but it must not belong to another group. White space within words counts as one space.
    """

    found_in: Literal["text", "column"]
    groups: Annotated[dict[Name, Words], Field(min_length=2)]
    privileged: Name
    swaps: list[Swap]
    swaps_before_noun: list[Swap]

    @model_validator(mode="after")
    def _groups_exist(self) -> Attribute:
        if self.privileged not in self.groups:
            raise ValueError(f"privileged is {self.privileged!r}, which is not one of groups ({', '.join(self.groups)}); name one of these")
        owners: dict[str, str] = {}
        for group, words in self.groups.items():
            for word in words:
                if owners.setdefault(word.casefold(), group) != group:
                    raise ValueError(f"{word!r} is in the groups {owners[word.casefold()]} and {group}; keep it in one of them")
        return self

    @model_validator(mode="after")
    def _swaps_fit(self) -> Attribute:
        for key, swaps in (("swaps", self.swaps), ("swaps_before_noun", self.swaps_before_noun)):
            if swaps and self.found_in == "column":
                raise ValueError(f"{key} exchange words of a text, but the attribute is found in a column; set {key} to []")
            for swap in swaps:
                if set(swap) != set(self.groups):
                    raise ValueError(
                        f"an entry of {key} names {', '.join(swap) or 'no group'}; give it one word of each of {', '.join(self.groups)}"
                    )
                self._check_owners(key, swap)
        return self

    def _check_owners(self, key: str, swap: Swap) -> None:
        owners = {word.casefold(): group for group, words in self.groups.items() for word in words}
        found = {group: owners.get(word.casefold()) for group, word in swap.items()}
        for group, owner in found.items():
            if owner not in (group, None):
                raise ValueError(f"an entry of {key} has {swap[group]!r} for {group}, but it is a word of {owner}; correct the entry")
        if not any(found.values()):
            raise ValueError(f"an entry of {key} ({', '.join(swap.values())}) has no word of groups; add one of its words to groups")


class Template(Section):
    """A sentence with {occupation} and [MASK], and the word of each group that fills the mask."""

    text: StrictStr
    words: Annotated[dict[Name, StrictStr], Field(min_length=2, max_length=2)]

    @model_validator(mode="after")
    def _has_both(self) -> Template:
        for part in ("{occupation}", "[MASK]"):
            if self.text.count(part) != 1:
                raise ValueError(f"the text {self.text!r} has {part} {self.text.count(part)} times; use it once")
        return self


class StereotypeTemplates(Section):
    """Sentences, and equally many occupations that stereotypes assign to each of two groups."""

    templates: Annotated[list[Template], Field(min_length=1)]
    occupations: Annotated[dict[Name, Words], Field(min_length=2, max_length=2)]

    @model_validator(mode="after")
    def _groups_agree(self) -> StereotypeTemplates:
        if len({len(words) for words in self.occupations.values()}) > 1:
            raise ValueError("occupations has more entries for one group than for the other; list equally many")
        for template in self.templates:
            if set(template.words) != set(self.occupations):
                raise ValueError(f"the words of {template.text!r} name other groups than occupations; use the same two groups")
        return self


class DataLimits(Section):
    """Limits for the train rows: the lowest disparate impact (or its inverse), and the largest difference."""

    disparate_impact: Fraction
    statistical_parity_difference: Fraction


class ModelLimits(Section):
    """Limits for the student on test rows.

    `counterfactual_flips` is a share of rows, and `stereotype_log_odds_gap` is in nats. `amplification` limits how much further from parity
    the student may be than its teacher, in each of the other figures.
    """

    disparate_impact: Fraction
    statistical_parity_difference: Fraction
    equal_opportunity_difference: Fraction
    average_odds_difference: Fraction
    counterfactual_flips: Fraction
    stereotype_log_odds_gap: NotNegative
    amplification: NotNegative


class Gate(Section):
    """The limits. `on_violation: warn` reports violations; with `fail`, the stage fails if a figure is violated or not judged."""

    on_violation: Literal["warn", "fail"]
    data: DataLimits
    model: ModelLimits


class BiasAudit(Section):
    """The audit of labelled rows and models by aif360.

    Groups with clearly fewer than `minimum_group_rows` rows are not judged. If the number of rows is within two standard errors of it, a
    check is undecided: from 21 to 43 rows if the minimum is 30.

    `protected` lists the attributes to audit for each task; other tasks are not audited. With more than two labels, the favourable one is
    compared with all others together. `stereotypes` are measured in the masked language models.
    """

    attributes: dict[Name, Attribute]
    protected: dict[Name, list[Name]]
    favorable_labels: dict[Name, StrictStr]
    minimum_group_rows: Count
    mitigation: Literal["none", "reweighing", "counterfactual", "both"]
    stereotypes: dict[Name, StereotypeTemplates]
    gate: Gate

    @model_validator(mode="after")
    def _can_be_swapped(self) -> BiasAudit:
        for task, names in self.protected.items() if self.mitigation in ("counterfactual", "both") else ():
            for name in names:
                if name in self.attributes and not self.attributes[name].swaps:
                    raise ValueError(
                        f"mitigation is {self.mitigation}, but attributes.{name}, protected for the task {task}, has no swaps; "
                        "add them or set mitigation to reweighing"
                    )
        return self
