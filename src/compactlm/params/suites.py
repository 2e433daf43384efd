"""The suites in configs/words/context, the pairs in configs/words/opposites.yaml and the questions in configs/words/questions.yaml."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Annotated, Any

import pydantic
import yaml
from pydantic import Field, StrictStr, model_validator

from compactlm.errors import CompactLMError
from compactlm.params.base import Name, Section
from compactlm.params.files import load_yaml
from compactlm.params.reading import describe_errors

SUITES = Path("configs/words/context")
OPPOSITES = Path("configs/words/opposites.yaml")
QUESTIONS = Path("configs/words/questions.yaml")

Word = Annotated[StrictStr, Field(min_length=1)]
Filling = list[Word]


class SuiteTemplate(Section):
    """An anchor and two other texts with slots, such as {word}. `right` is nearer in meaning to the anchor than `wrong`."""

    anchor: Word
    right: Word
    wrong: Word


class SuiteGroup(Section):
    """Templates, and two sets of fillings for their slots: one for evaluation, and one that training may use."""

    slots: Annotated[list[Name], Field(min_length=1)]
    templates: Annotated[list[SuiteTemplate], Field(min_length=1)]
    evaluate: Annotated[list[Filling], Field(min_length=1)]
    train: list[Filling]

    @model_validator(mode="after")
    def _fits_together(self) -> SuiteGroup:
        for template in self.templates:
            for text in (template.anchor, template.right, template.wrong):
                unknown = _slots_of(text) - set(self.slots)
                if unknown:
                    raise ValueError(f"the text {text!r} has the slot {min(unknown)}, which is not one of {', '.join(self.slots)}; add it")
            if template.right == template.wrong:
                raise ValueError(f"the right and the wrong text of {template.anchor!r} are the same; change one of them")
        for filling in (*self.evaluate, *self.train):
            if len(filling) != len(self.slots):
                raise ValueError(f"the filling {', '.join(filling)} needs one entry for each of {', '.join(self.slots)}; correct it")
        shared = {tuple(filling) for filling in self.evaluate} & {tuple(filling) for filling in self.train}
        if shared:
            raise ValueError(f"the filling {', '.join(min(shared))} is under evaluate and under train; keep one of them")
        return self


class Suite(Section):
    """The groups of one kind, such as negation."""

    groups: Annotated[list[SuiteGroup], Field(min_length=1)]


class Opposites(Section):
    """Pairs of words with opposite meanings, and templates with the slots {word} and {opposite}."""

    templates: Annotated[list[SuiteTemplate], Field(min_length=1)]
    pairs: list[tuple[Word, Word]]

    @model_validator(mode="after")
    def _has_no_other_slots(self) -> Opposites:
        for template in self.templates:
            for text in (template.anchor, template.right, template.wrong):
                if unknown := _slots_of(text) - {"word", "opposite"}:
                    raise ValueError(f"the text {text!r} has the slot {min(unknown)}; use {{word}} and {{opposite}}")
        return self


class Questions(Section):
    """Pairs of a question as it is in a file of answers and as somebody asks it, by kind, such as slang."""

    validation: dict[Name, list[tuple[Word, Word]]]
    test: dict[Name, list[tuple[Word, Word]]]


def read_suite(kind: str, folder: Path = SUITES) -> Suite:
    """Read the suite of a kind from its file.

    Raises:
        CompactLMError: the file is missing or is not a suite.
    """
    return _read(Suite, folder / f"{kind}.yaml")


def read_opposites(path: Path = OPPOSITES) -> Opposites:
    """Read pairs of opposites and their templates.

    Raises:
        CompactLMError: the file is missing, or has no pairs or templates.
    """
    found: Opposites = _read(Opposites, path)
    return found


def read_questions(path: Path = QUESTIONS) -> Questions:
    """Read pairs of questions.

    Raises:
        CompactLMError: the file is missing or has no questions.
    """
    found: Questions = _read(Questions, path)
    return found


def _read(form: Any, path: Path) -> Any:
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
        return form.model_validate(content)
    except FileNotFoundError:
        raise CompactLMError(f"{path} does not exist; restore it with git, or name another file in params.yaml") from None
    except pydantic.ValidationError as error:
        problem = describe_errors(error, content) if isinstance(content, dict) else "it has no keys at its top level; correct it"
        raise CompactLMError(f"{path}: {problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CompactLMError(f"{path} is not valid YAML ({' '.join(str(error).split())}); correct it") from None


def _slots_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
