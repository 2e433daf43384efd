"""Make filters from their settings, and list the filters of each profile."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Literal

from compactlm.corpus.clean.filters import characters, expressions, markup, measures, repetition
from compactlm.corpus.clean.filters.bag_of_words import to_bag_of_words
from compactlm.corpus.clean.filters.base import Dropped, Filter
from compactlm.corpus.clean.filters.personal.masking import mask_personal
from compactlm.corpus.clean.filters.personal.placeholders import PLACEHOLDERS
from compactlm.errors import CompactLMError
from compactlm.params import filters as settings
from compactlm.text.expressions import BoundedExpression

FUNCTIONS: dict[str, Callable[..., str | Dropped]] = {  # the fields of the settings are the keyword arguments of the function
    "repair_unicode": characters.repair_unicode,
    "remove_markup": markup.remove_markup,
    "remove_addresses": characters.remove_addresses,
    "remove_control_characters": characters.remove_control_characters,
    "straighten_quotes": characters.straighten_quotes,
    "fold_white_space": characters.fold_white_space,
    "repeated_characters": characters.shorten_runs,
    "repeated_lines": repetition.without_repeated_lines,
    "repeated_ngrams": repetition.without_repeated_ngrams,
    "length": measures.within_length,
    "character_share": measures.within_share,
    "mask_personal": mask_personal,
    "bag_of_words": to_bag_of_words,
}


def filters_from(listed: Iterable[settings.FilterSettings]) -> list[Filter]:
    """Return the filters with these settings, in the same order."""
    return [_filter(one) for one in listed]


def _filter(one: settings.FilterSettings) -> Filter:
    if isinstance(one, settings.Language):
        return _language(one)
    if isinstance(one, settings.Expression):
        pattern = BoundedExpression(one.pattern, f"the filter {one.name}")
        if one.action == "drop":
            return functools.partial(expressions.drop_where_found, pattern=pattern, reason=one.name)
        return functools.partial(expressions.replace, pattern=pattern, replacement=one.replacement)
    return functools.partial(FUNCTIONS[one.kind], **one.model_dump(exclude={"kind"}))


def _language(one: settings.Language) -> Filter:
    # Imported late, because the model takes a moment to load.
    from compactlm.corpus.clean.filters.language import in_languages
    from compactlm.text.languages import known_languages

    for language in sorted(set(one.languages) - known_languages()):
        raise CompactLMError(f"a filter of kind language has the unknown language {language!r}; use an ISO 639 code that py3langid knows")
    return functools.partial(
        in_languages, languages=frozenset(one.languages), minimum_probability=one.minimum_probability, minimum_letters=one.minimum_letters
    )


Profile = Literal["bert", "bag-of-words", "thorough"]


def profile_filters(profile: Profile, minimum_characters: int, maximum_characters: int) -> list[settings.FilterSettings]:
    """Return the settings of the filters of a profile.

    `bert` keeps natural text and masks personal data, and `bag-of-words` is the classical recipe. `thorough` is for text from any
    source: it also drops texts that repeat themselves, that have few letters, or that are not in English.
    """
    bounds = settings.Length(kind="length", unit="characters", minimum=minimum_characters, maximum=maximum_characters)
    if profile == "thorough":
        return [*_THOROUGH, bounds, *_JUDGES]
    # The classical recipe keeps only letters, so it masks nothing.
    last = settings.BagOfWords(kind="bag_of_words") if profile == "bag-of-words" else _PERSONAL
    return [*_PLAIN, last, settings.FoldWhiteSpace(kind="fold_white_space", keep_lines=False), bounds]


_PERSONAL = settings.MaskPersonal(kind="mask_personal", of=list(PLACEHOLDERS), region="US")
_PLAIN: list[settings.FilterSettings] = [
    settings.RepairUnicode(kind="repair_unicode", form="NFC", straight_quotes=True),
    settings.RemoveMarkup(kind="remove_markup"),
    settings.RemoveAddresses(kind="remove_addresses"),
    settings.RemoveControlCharacters(kind="remove_control_characters", keep_lines=False),
    settings.StraightenQuotes(kind="straighten_quotes"),
]
_THOROUGH: list[settings.FilterSettings] = [
    settings.Length(kind="length", unit="characters", minimum=0, maximum=1_000_000),  # first, because other filters take long on such texts
    settings.RepairUnicode(kind="repair_unicode", form="NFC", straight_quotes=True),
    settings.RemoveMarkup(kind="remove_markup"),
    settings.RemoveAddresses(kind="remove_addresses"),
    settings.RemoveControlCharacters(kind="remove_control_characters", keep_lines=True),
    settings.FoldWhiteSpace(kind="fold_white_space", keep_lines=True),
    settings.RepeatedLines(kind="repeated_lines", maximum_share=0.3),
    settings.StraightenQuotes(kind="straighten_quotes"),
    _PERSONAL,
    settings.RepeatedCharacters(kind="repeated_characters", maximum=3),
    settings.FoldWhiteSpace(kind="fold_white_space", keep_lines=False),
]
_JUDGES: list[settings.FilterSettings] = [
    settings.RepeatedNgrams(kind="repeated_ngrams", size=3, maximum_share=0.3, minimum_words=30),
    settings.CharacterShare(kind="character_share", of="letters", minimum=0.5, maximum=1.0),
    settings.Language(kind="language", languages=["en"], minimum_probability=0.1, minimum_letters=60),
]
