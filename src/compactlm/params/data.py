"""The sections of the stages that prepare the rows: clean, split, augment and tokenize."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, model_validator

from compactlm.params.base import Count, CountOrZero, Name, NotNegative, Number, Section
from compactlm.params.filters import FilterSettings


class NearDuplicates(Section):
    """Texts are near-duplicates if the Jaccard similarity of their shingles, estimated by MinHash, is at least `threshold`.

    A shingle is a run of `size` words or characters. The standard error of the estimate is at most 0.5 / sqrt(`permutations`): 0.044 for
    128 permutations.
    """

    threshold: Annotated[Number, Field(gt=0, le=1)]
    permutations: Annotated[StrictInt, Field(ge=16, le=1024)]
    unit: Literal["words", "characters"]
    size: Count


class Data(Section):
    """Where the data stages run. These settings do not change the results.

    Each of `processes` worker processes (null: one per core) handles one shard of about `shard_megabytes` of text at a time. With
    `engine: ray`, shards are tasks on the Ray cluster at `address`, or on a cluster that is started on this machine (null).
    """

    engine: Literal["local", "ray"]
    address: StrictStr | None
    processes: Count | None
    shard_megabytes: Count

    @model_validator(mode="after")
    def _address_is_of_a_cluster(self) -> Data:
        if self.engine == "local" and self.address is not None:
            raise ValueError("address names a Ray cluster, but engine is local; set engine to ray or address to null")
        return self


class Sentences(Section):
    """Unlabelled rows of `sources` are split into one row per sentence, after cleaning.

    A sentence keeps the document of its row. Sentences of fewer than `minimum_characters` are dropped and counted. If NLTK's data for
    `language` are not installed, Punkt learns abbreviations from about `characters` characters of these sources.
    """

    sources: Annotated[list[Name], Field(min_length=1)]
    language: Annotated[StrictStr, Field(pattern=r"^[a-z]+$")]
    characters: Count
    minimum_characters: Count


class Clean(Section):
    """The cleaning of text.

    The profile `bert` keeps natural text and masks personal data. `thorough` is stricter, for text of unknown quality. `bag-of-words` is
    the classical preprocessing, for comparison. `own` applies the list `filters` and ignores `minimum_characters` and `maximum_characters`.
    For each source and reason, `samples` dropped rows are shown.
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
            raise ValueError("minimum_characters is greater than maximum_characters; lower the first or raise the second")
        if self.profile == "own" and not self.filters:
            raise ValueError("profile is own, but filters is empty; list filters or choose another profile")
        if self.profile != "own" and self.filters is not None:
            raise ValueError(f"filters are listed, but profile is {self.profile}; set profile to own or filters to null")
        if self.sentences is not None and self.profile == "bag-of-words":
            raise ValueError("profile bag-of-words removes the full stops that sentences needs; set sentences to null")
        return self


class Split(Section):
    """The share of the rows in each split, and how rows are assigned to splits.

    With `placement: stratified` the shares are exact, also within sources and labels. With `stable` the shares hold on average, and a row
    stays in its split when data is added. `across_splits` says what happens to near-duplicates in different splits. `report` only counts
    them. `leave_out` removes rows until no row of train is similar to a row of validation or test, and no row of validation is similar to a
    row of test; labelled rows whose near-duplicates have another label of the task are kept. `prevent` places near-duplicates in the same
    split (with stable placement, `prevent` is the same as `leave_out`). `weights` gives the number of times that the rows of a source
    appear in train; the default is 1. `sources` puts all rows of a source into one split, which needs `placement: stable`.
    """

    train: Annotated[Number, Field(gt=0, lt=1)]
    validation: Annotated[Number, Field(gt=0, lt=1)]
    test: Annotated[Number, Field(gt=0, lt=1)]
    placement: Literal["stratified", "stable"]
    near_duplicates: NearDuplicates | None
    across_splits: Literal["report", "leave_out", "prevent"]
    weights: dict[Name, NotNegative]
    sources: dict[Name, Literal["train", "validation", "test"]]

    @model_validator(mode="after")
    def _adds_up(self) -> Split:
        if self.across_splits != "report" and self.near_duplicates is None:
            raise ValueError(
                f"across_splits is {self.across_splits}, but near_duplicates is null; set near_duplicates, or across_splits to report"
            )
        if self.sources and self.placement != "stable":
            raise ValueError(f"sources names {min(self.sources)}, which needs placement: stable; set it, or set sources to {{}}")
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train, validation and test add up to {total:g}; make them add up to 1")
        return self


class DiversityFigures(Section):
    """The amount of text for diversity figures. With equal amounts, the figures of two corpora are comparable.

    Vocabulary and repetition are measured on `words` words in windows of `window` words, and self-BLEU on `bleu_words` words of each of
    `bleu_texts` texts.
    """

    words: Count
    window: Count
    bleu_texts: Count
    bleu_words: Count


ReservedKind = Literal["names", "numbers", "negations", "protected"]


class Augment(Section):
    """The augmentation: each labelled train row gets `copies` copies, each by one augmenter, drawn with the probabilities `shares`.

    `synonyms` is the source of words for the augmenter `synonym`. `nearest_words` takes the words whose vectors are nearest when the
    teacher reads each word alone. `wordnet` takes synonyms from WordNet, which must be installed. `masked_words` takes words that the
    teacher's masked-language-model head finds likely in the text, and synonyms from WordNet if it is installed. The augmenter `insert`
    needs `masked_words`. Augmenters do not change words of the kinds in `reserved`, and insert none of them except names. `protected` words
    are those by which bias_audit finds groups. With `labels: keep`, a copy is dropped if the teacher predicts another label than its row
    has; `report` only counts such copies.
    """

    copies: CountOrZero
    shares: dict[Literal["synonym", "insert", "swap", "delete", "spelling", "keyboard", "tfidf"], NotNegative]
    synonyms: Literal["nearest_words", "wordnet", "masked_words"]
    share_of_words: Annotated[Number, Field(gt=0, le=1)]
    reserved: list[ReservedKind]
    labels: Literal["report", "keep"]

    @model_validator(mode="after")
    def _shares_add_up(self) -> Augment:
        if self.copies and abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ValueError(f"shares add up to {sum(self.shares.values()):g}; make them add up to 1")
        if self.copies and self.shares.get("insert") and self.synonyms != "masked_words":
            raise ValueError(f"insert has a share, but synonyms is {self.synonyms}; set the share to 0, or synonyms to masked_words")
        return self


class Tokenize(Section):
    """`maximum_length` is the maximum number of tokens of a sequence, with [CLS] and [SEP]. Longer unlabelled text is split."""

    maximum_length: Annotated[StrictInt, Field(ge=8)]
