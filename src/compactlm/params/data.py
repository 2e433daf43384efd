"""The sections of the stages that prepare the rows: clean, split, augment, tokenize; and where they work."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, model_validator

from compactlm.params.base import Count, CountOrZero, Name, NotNegative, Number, Section
from compactlm.params.filters import FilterSettings


class NearDuplicates(Section):
    """Near-duplicates by MinHash: texts whose shingles have a Jaccard similarity of at least `threshold`.

    A shingle is a run of `size` words or characters. The estimate's standard error is at most 0.5 over the root of
    `permutations`: 0.044 for 128.
    """

    threshold: Annotated[Number, Field(gt=0, le=1)]
    permutations: Annotated[StrictInt, Field(ge=16, le=1024)]
    unit: Literal["words", "characters"]
    size: Count


class Data(Section):
    """Where the data stages work: no setting here changes what they write.

    `processes` work on a shard each (null: as many as there are cores); a shard holds about `shard_megabytes` of text. With
    `engine: ray` they are tasks on the Ray cluster at `address`, or on one that is started on this machine.
    """

    engine: Literal["local", "ray"]
    address: StrictStr | None
    processes: Count | None
    shard_megabytes: Count

    @model_validator(mode="after")
    def _address_is_of_a_cluster(self) -> Data:
        if self.engine == "local" and self.address is not None:
            raise ValueError("address names a Ray cluster, but engine is local; set engine to ray, or address to null")
        return self


class Sentences(Section):
    """Rows of these sources without a label are cut into rows of a sentence each, once their text is clean, by NLTK's Punkt.

    Sentences keep the document of their row; those of fewer than `minimum_characters` are dropped and counted. Where NLTK's data for
    `language` are not on the machine, Punkt learns from about `characters` characters of these sources.
    """

    sources: Annotated[list[Name], Field(min_length=1)]
    language: Annotated[StrictStr, Field(pattern=r"^[a-z]+$")]
    characters: Count
    minimum_characters: Count


class Clean(Section):
    """`profile: bert` keeps natural text, with personal data masked; `thorough` is for text from anywhere.

    `bag-of-words` is the classical recipe, for comparison. With `profile: own` the filters are those of the list `filters`, and the bounds
    are whatever its filters of kind length say. Of the rows dropped for a reason, `samples` of each source are shown.
    """

    profile: Literal["bert", "thorough", "bag-of-words", "own"]
    filters: list[FilterSettings] | None
    minimum_characters: Count
    maximum_characters: Count
    sentences: Sentences | None
    near_duplicates: NearDuplicates | None
    samples: CountOrZero

    @model_validator(mode="after")
    def _fits_together(self) -> Clean:
        if self.minimum_characters > self.maximum_characters:
            raise ValueError("minimum_characters is greater than maximum_characters; lower the one or raise the other")
        if self.profile == "own" and not self.filters:
            raise ValueError("profile is own, but filters lists none; list some, or name a profile")
        if self.profile != "own" and self.filters is not None:
            raise ValueError(f"filters are listed, but profile is {self.profile}; set profile to own, or filters to null")
        if self.sentences is not None and self.profile == "bag-of-words":
            raise ValueError("sentences are to be cut, but profile bag-of-words leaves no full stops; set sentences to null")
        return self


class Split(Section):
    """The share of the rows in each split, and how rows are placed.

    `placement: stratified` keeps shares, sources and labels to the row; with `stable` a row that is placed stays there when data is
    added, and shares are kept on average. Near-duplicates across splits are counted (`report`); or rows that are like one of test, or in
    train of validation, are left out and all others stay where they are (`leave_out`); or those of one kind come to one split (`prevent`,
    which is `leave_out` where the placement is stable). `weights` says how often a source's rows come in
    train, 1 where it names none.
    """

    train: Annotated[Number, Field(gt=0, lt=1)]
    validation: Annotated[Number, Field(gt=0, lt=1)]
    test: Annotated[Number, Field(gt=0, lt=1)]
    placement: Literal["stratified", "stable"]
    near_duplicates: NearDuplicates | None
    across_splits: Literal["report", "leave_out", "prevent"]
    weights: dict[Name, NotNegative]

    @model_validator(mode="after")
    def _adds_up(self) -> Split:
        if self.across_splits != "report" and self.near_duplicates is None:
            raise ValueError(f"across_splits is {self.across_splits}, but near_duplicates is null; say how they are found, or set report")
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train, validation and test add up to {total:g}; make them add up to 1")
        return self


class DiversityFigures(Section):
    """How much text the figures of diversity are taken over, so that those of two corpora can be compared.

    Vocabulary and repetition over `words` words, in windows of `window` words; self-BLEU over `bleu_words` words of `bleu_texts` texts.
    """

    words: Count
    window: Count
    bleu_texts: Count
    bleu_words: Count


ReservedKind = Literal["names", "numbers", "negations", "protected"]


class Augment(Section):
    """`copies` copies of every labelled train row, each by one augmenter drawn by `shares`.

    Words of the kinds that `reserved` lists are not changed, and all but names are not put in; `protected` are the words that bias_audit
    finds groups by.
    With `labels: keep` a copy that the teacher gives another label than its row has is dropped; `report` only counts them.
    """

    copies: CountOrZero
    shares: dict[Literal["synonym", "insert", "swap", "delete", "spelling", "keyboard", "tfidf"], NotNegative]
    share_of_words: Annotated[Number, Field(gt=0, le=1)]
    reserved: list[ReservedKind]
    labels: Literal["report", "keep"]

    @model_validator(mode="after")
    def _shares_add_up(self) -> Augment:
        if self.copies and abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ValueError(f"shares add up to {sum(self.shares.values()):g}; make them add up to 1")
        return self


class Tokenize(Section):
    """`maximum_length` counts tokens a sequence, [CLS] and [SEP] included; longer unlabelled text becomes several sequences."""

    maximum_length: Annotated[StrictInt, Field(ge=8)]
