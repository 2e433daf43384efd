"""The section of the bias audit: protected attributes, what is done against bias, and how much of it is too much."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictStr, model_validator

from compactlm.params.base import Count, Fraction, Name, NotNegative, Number, Section


def _one_space(word: str) -> str:
    # Texts are searched for words with any white space between their parts, so white space must not tell two words apart.
    tidy = " ".join(word.split())
    if not tidy:
        raise ValueError(f"{word!r} is no word; take it out or write one in its place")
    return tidy


Word = Annotated[StrictStr, AfterValidator(_one_space)]
Words = Annotated[list[Word], Field(min_length=1)]
Swap = dict[Name, Word]


class Attribute(Section):
    """A protected attribute, and the groups that it divides the rows into.

    `found_in: text` finds a group by the words that mention it, as whole words; `found_in: column` by the value that the row has in the
    column that its source names in columns.attributes. `groups` maps a group's name to these words or values. Every group is compared
    with the `privileged` one. Each entry of `swaps` has a word of each group, which take each other's place in a counterfactual text;
    those of `swaps_before_noun` only where a noun phrase follows (her book: his book). Such a word may be in no group at all (actor),
    but in no other than its own. White space in words counts as one space, and none at their ends.
    """

    found_in: Literal["text", "column"]
    groups: Annotated[dict[Name, Words], Field(min_length=2)]
    privileged: Name
    swaps: list[Swap]
    swaps_before_noun: list[Swap]

    @model_validator(mode="after")
    def _groups_exist(self) -> Attribute:
        if self.privileged not in self.groups:
            raise ValueError(f"the privileged group {self.privileged!r} is not among groups ({', '.join(self.groups)}); name one of these")
        owners: dict[str, str] = {}
        for group, words in self.groups.items():
            for word in words:
                if owners.setdefault(word.casefold(), group) != group:
                    raise ValueError(f"{word!r} stands for the groups {owners[word.casefold()]} and {group}; keep it in one of them")
        return self

    @model_validator(mode="after")
    def _swaps_fit(self) -> Attribute:
        for key, swaps in (("swaps", self.swaps), ("swaps_before_noun", self.swaps_before_noun)):
            if swaps and self.found_in == "column":
                raise ValueError(f"{key} are words of a text, but the attribute is found in a column; set {key} to []")
            for swap in swaps:
                if set(swap) != set(self.groups):
                    raise ValueError(
                        f"an entry of {key} names {', '.join(swap) or 'no group'}; give it a word of each of {', '.join(self.groups)}"
                    )
                self._check_owners(key, swap)
        return self

    def _check_owners(self, key: str, swap: Swap) -> None:
        owners = {word.casefold(): group for group, words in self.groups.items() for word in words}
        found = {group: owners.get(word.casefold()) for group, word in swap.items()}
        for group, owner in found.items():
            if owner not in (group, None):
                raise ValueError(f"an entry of {key} has {swap[group]!r} for {group}, but it is a word of {owner}; name it there")
        if not any(found.values()):
            raise ValueError(f"an entry of {key} ({', '.join(swap.values())}) has no word of groups; add one of them there")


class Bootstrap(Section):
    """Intervals come from `samples` resamples of whole documents, and hold `confidence` of them."""

    samples: Count
    confidence: Annotated[Number, Field(gt=0, lt=1)]


class Template(Section):
    """A sentence with {occupation} and [MASK], and the word that stands for each group in place of the latter."""

    text: StrictStr
    words: Annotated[dict[Name, StrictStr], Field(min_length=2, max_length=2)]

    @model_validator(mode="after")
    def _has_both(self) -> Template:
        for part in ("{occupation}", "[MASK]"):
            if self.text.count(part) != 1:
                raise ValueError(f"the text {self.text!r} has {part} {self.text.count(part)} times; put it there once")
        return self


class StereotypeTemplates(Section):
    """Sentences, and the occupations that are stereotypically said to be of either group; as many of the one as of the other."""

    templates: Annotated[list[Template], Field(min_length=1)]
    occupations: Annotated[dict[Name, Words], Field(min_length=2, max_length=2)]

    @model_validator(mode="after")
    def _groups_agree(self) -> StereotypeTemplates:
        if len({len(words) for words in self.occupations.values()}) > 1:
            raise ValueError("occupations has more of one group than of the other, which would lean to a word; list as many of each")
        for template in self.templates:
            if set(template.words) != set(self.occupations):
                raise ValueError(f"the words of {template.text!r} are of other groups than occupations; name the same two groups")
        return self


class DataLimits(Section):
    """What the rows that students learn from may come to: the least disparate impact (or its inverse), the greatest difference."""

    disparate_impact: Fraction
    statistical_parity_difference: Fraction


class ModelLimits(Section):
    """What a student may come to on test rows.

    `counterfactual_flips` is a share of rows, `stereotype_log_odds_gap` is in nats, and `amplification` is how much further from parity
    than its teacher a student may be, by any of the others.
    """

    disparate_impact: Fraction
    statistical_parity_difference: Fraction
    equal_opportunity_difference: Fraction
    average_odds_difference: Fraction
    counterfactual_flips: Fraction
    stereotype_log_odds_gap: NotNegative
    amplification: NotNegative


class Gate(Section):
    """A violation is told (`warn`), or ends the stage as well (`fail`). What cannot be judged is never a pass."""

    on_violation: Literal["warn", "fail"]
    data: DataLimits
    model: ModelLimits


class BiasAudit(Section):
    """The audit of labelled rows and of models by aif360. A group with fewer rows than the minimum is not judged.

    `protected` names the attributes to audit for each task; a task without any is not audited. Of more labels than two the favourable
    one is held against all others where one has to be chosen. `stereotypes` are looked for in the masked language models.
    """

    attributes: dict[Name, Attribute]
    protected: dict[Name, list[Name]]
    favorable_labels: dict[Name, StrictStr]
    minimum_group_rows: Count
    bootstrap: Bootstrap
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
