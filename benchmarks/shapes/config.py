"""Read files of experiments such as configs/frontier.yaml, and compose the parameters of each experiment."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import pydantic
import yaml
from dvc.utils.hydra import compose_and_dump
from hydra.errors import HydraException
from pydantic import Field, StrictStr, model_validator

from compactlm.errors import CompactLMError
from compactlm.params import Count, CountOrZero, Number, Params, ParamsError, Section, read_params
from compactlm.params.reading import describe_errors

FRONTIER = Path("configs/frontier.yaml")
FIELDS = ("layers", "hidden_size", "attention_heads", "intermediate_size")
Share = Annotated[Number, Field(gt=0, le=1)]
Listed = TypeVar("Listed", bound=Section)


class Shape(Section):
    """A student's shape. Its experiment has this `name`."""

    name: Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    layers: Count
    hidden_size: Count
    attention_heads: Count
    intermediate_size: Count

    def overrides(self) -> list[str]:
        """Return the overrides of this shape, as for `dvc exp run -S`."""
        return [f"student.{field}={getattr(self, field)}" for field in FIELDS]


class Latency(Section):
    """How to measure latency: sequences of `tokens` tokens, `runs` times after `warm_up` runs."""

    tokens: Annotated[Count, Field(ge=2)]
    warm_up: CountOrZero
    runs: Annotated[Count, Field(ge=5)]


class Frontier(Section):
    """All of configs/frontier.yaml."""

    overrides: list[StrictStr]
    enough: Share
    budget: Share
    latency: Latency
    shapes: Annotated[list[Shape], Field(min_length=1)]

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        names = [shape.name for shape in self.shapes]
        for twice in (name for name in names if names.count(name) > 1):
            raise ValueError(f"shapes has two of the name {twice!r}; rename one")
        check_overrides(self.overrides, "overrides")
        return self


def check_overrides(overrides: Sequence[str], where: str) -> None:
    """Raise ValueError for an override without a value, or of a key that every shape sets."""
    for override in overrides:
        key, equals, _ = override.partition("=")
        if not equals:
            raise ValueError(f"{where} has {override!r}, which sets no value; write it as key=value")
        if key in {f"student.{field}" for field in FIELDS}:
            raise ValueError(f"{where} sets {key}, which every shape sets; remove it")


def check_command_line(overrides: Sequence[str]) -> None:
    """Raise CompactLMError if `check_overrides` refuses the overrides of the command line."""
    try:
        check_overrides(overrides, "the command line")
    except ValueError as error:
        raise CompactLMError(str(error)) from None


def read_listed(kind: type[Listed], path: Path) -> Listed:
    """Read and check a file of experiments; raises CompactLMError."""
    content: Any = None
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return kind.model_validate(content)
    except FileNotFoundError:
        raise CompactLMError(f"{path} is missing; restore it with `git checkout {path}`") from None
    except yaml.YAMLError as error:
        raise CompactLMError(f"{path} is not valid YAML ({' '.join(str(error).split())}); correct it there") from None
    except pydantic.ValidationError as error:
        raise CompactLMError(
            f"{path}: {describe_errors(error, content) if isinstance(content, dict) else 'it contains no sections; correct it there'}"
        ) from None


def compose(overrides: Sequence[str], what: str, source: Path = FRONTIER) -> Params:
    """Return the parameters that `dvc exp run -S` would compose from configs/ with these overrides, each key=value.

    Error messages name `what`, the experiment, and `source`, the file with the overrides.

    Raises:
        CompactLMError: an override is wrong, or the parameters are not valid.
    """
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "params.yaml"
        try:
            compose_and_dump(target, str(Path("configs").resolve()), None, "config", scratch, list(overrides))
            return read_params(target)
        except HydraException as error:
            reason = " ".join(str(error).split("\n\n")[0].split())
            raise CompactLMError(f"{what}: {reason}; correct the overrides in {source} or on the command line") from None
        except ParamsError as error:
            reason = str(error).removeprefix(f"{target}: ")
            raise CompactLMError(f"{what}: {reason} (its overrides: {source})") from None


def compose_all(frontier: Frontier, more: Sequence[str] = ()) -> dict[str, Params]:
    """Return the parameters of each shape by name, and check them before anything is trained.

    `more` are overrides that come after those of the file.

    Raises:
        CompactLMError: a shape cannot be trained, or cannot be compared with the others.
    """
    check_command_line(more)
    composed = {}
    for shape in frontier.shapes:
        params = compose([*frontier.overrides, *more, *shape.overrides()], f"shape {shape.name}")
        if params.student.vocabulary_size == "fit":
            raise CompactLMError(
                "student.vocabulary_size is fit, which gives every shape a vocabulary, tokens and signals of its own; "
                f"set a number in {FRONTIER}, as student.vocabulary_size=8000"
            )
        if params.student.maximum_positions < frontier.latency.tokens:
            raise CompactLMError(
                f"latency.tokens is {frontier.latency.tokens} in {FRONTIER}, but a student accepts {params.student.maximum_positions} "
                "(student.maximum_positions); lower the one or raise the other"
            )
        composed[shape.name] = params
    _check_preset(frontier, more, params)
    return composed


def _check_preset(frontier: Frontier, more: Sequence[str], params: Params) -> None:
    """Raise CompactLMError if the file's overrides replace all that a preset on the command line sets."""
    preset = next((override for override in more if override.startswith("preset=") and override != "preset=default"), None)
    if preset:
        others = [override for override in more if override != preset]
        default = compose([*frontier.overrides, *others, *frontier.shapes[-1].overrides()], "the default preset")
        if default.model_dump(exclude={"preset"}) == params.model_dump(exclude={"preset"}):
            raise CompactLMError(
                f"{preset} changes nothing here, because {FRONTIER} sets all that it would change; remove those overrides from the file"
            )
