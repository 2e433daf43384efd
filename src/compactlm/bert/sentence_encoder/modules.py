"""The modules of a sentence encoder, read from the files of sentence-transformers. It needs neither that package nor torch.

A directory holds a BERT and modules.json. That file lists the modules that turn the hidden states into one vector for each text: pooling,
dense layers, normalisation. Reimers and Gurevych 2019, "Sentence-BERT", describe the architecture.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from compactlm.bert.arrays import Array, unit
from compactlm.bert.sentence_encoder.dense import IDENTITY, Dense, read_dense
from compactlm.bert.sentence_encoder.json_files import read_json, read_settings
from compactlm.bert.sentence_encoder.pooling import POOLINGS, pool
from compactlm.errors import CompactLMError

MODULES = "modules.json"
SETTINGS = "config_sentence_transformers.json"  # prompts
# The maximum length; the name of the file had the architecture in it once.
LENGTH = ("sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json")
# The keys of older versions, in the order in which they concatenate the results.
OLD_POOLINGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
PACKAGE = "sentence_transformers."
ORDER = re.compile(r"Transformer Pooling( Dense)*( Normalize)?")
UNLIMITED = 10**6  # transformers writes a very large number for a tokenizer without a limit


@dataclasses.dataclass(frozen=True, eq=False)
class SentenceModules:
    """The modules that turn the hidden states of a BERT into one vector for each text.

    Attributes:
        pooling: names from POOLINGS; the results of several are concatenated.
        dense: the layers that follow, in order.
        normalise: whether vectors have length 1.
        maximum_length: the number of tokens, with [CLS] and [SEP], to which texts are truncated; None if no file states it.
        lower_case: whether texts are lower-cased before the tokenizer reads them.
        prompts: prompts by name; a prompt is a text that is put before the text to encode.
        default_prompt: the name of the prompt that is put before every text, or None.
        include_prompt: whether the tokens of a prompt count in the pooling.
    """

    pooling: tuple[str, ...] = ("mean",)
    dense: tuple[Dense, ...] = ()
    normalise: bool = True
    maximum_length: int | None = None
    lower_case: bool = False
    prompts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    default_prompt: str | None = None
    include_prompt: bool = True

    @classmethod
    def read(cls, directory: Path) -> SentenceModules:
        """Read the files that versions 2 to 6 of sentence-transformers write.

        Raises:
            CompactLMError: a file is missing or damaged, or a module is of a kind that is not supported.
        """
        pooling: tuple[str, ...] = ()
        include_prompt, layers, normalise = True, [], False
        for kind, path in list_modules(directory):
            if kind == "Pooling":
                pooling, include_prompt = _read_pooling(path)
            elif kind == "Dense":
                layers.append(read_dense(path))
            elif kind == "Normalize":
                normalise = True
        _check_widths(directory, len(pooling), layers)
        length = next((found for name in LENGTH if (found := read_settings(directory / name, optional=True))), {})
        settings = read_settings(directory / SETTINGS, optional=True)
        prompts, default = settings.get("prompts") or {}, settings.get("default_prompt_name")
        if not isinstance(prompts, dict) or not isinstance(default, str | None):
            raise CompactLMError(f"{directory / SETTINGS} has unusable prompts; fetch or save the sentence encoder again")
        return cls(
            pooling=pooling,
            dense=tuple(layers),
            normalise=normalise,
            maximum_length=_maximum_length(directory, length),
            lower_case=bool(length.get("do_lower_case")),
            prompts={str(name): str(text or "") for name, text in prompts.items()},
            default_prompt=default,
            include_prompt=include_prompt,
        )

    @property
    def prompt(self) -> str:
        """The prompt that is put before every text, or the empty string.

        Raises:
            CompactLMError: the default prompt has no text.
        """
        if self.default_prompt is None:
            return ""
        if self.default_prompt not in self.prompts:
            raise CompactLMError(
                f"default_prompt_name is {self.default_prompt!r} in {SETTINGS}, but its prompts are "
                f"{', '.join(self.prompts) or 'none'}; correct the file"
            )
        return self.prompts[self.default_prompt]

    @property
    def parameters(self) -> int:
        """The number of parameters of the dense layers."""
        return sum(layer.parameters for layer in self.dense)

    @property
    def per_token(self) -> bool:
        """Whether the dense layers may run on each token before the pooling: the pooling is a mean and the layers are linear."""
        return self.pooling == ("mean",) and all(layer.activation == IDENTITY for layer in self.dense)

    def prepare(self, texts: Sequence[str]) -> list[str]:
        """Return texts as the tokenizer should read them: after the default prompt, and lower-cased if the encoder requires it."""
        prompted = [self.prompt + text for text in texts]
        return [text.lower() for text in prompted] if self.lower_case else prompted

    def pool(self, hidden: Array, mask: Array) -> Array:
        """Pool the hidden states [rows, tokens, width] of the tokens with mask 1; return float32 [rows, modes * width]."""
        return pool(hidden, mask, self.pooling)

    def apply(self, pooled: Array) -> Array:
        """Return the sentence vectors, float32 [rows, width of the vectors], of pooled vectors."""
        for layer in self.dense:
            pooled = layer.apply(pooled)
        return unit(pooled) if self.normalise else pooled


def list_modules(directory: Path) -> list[tuple[str, Path]]:
    """Return the kind and the directory of each module after the BERT, in order: Pooling, then Dense, then Normalize.

    Raises:
        CompactLMError: modules.json cannot be read, or has a module that is not supported, or another order.
    """
    path = directory / MODULES
    listed = read_json(path)
    try:
        found = [(str(module["type"]), str(module["path"])) for module in listed]
    except (TypeError, KeyError):
        raise CompactLMError(f"{path} is not a list of modules with a type and a path; fetch or save the sentence encoder again") from None
    kinds = [kind.rpartition(".")[2] if kind.startswith(PACKAGE) else kind for kind, _ in found]
    kept = [(kind, directory / place) for kind, (_, place) in zip(kinds, found, strict=True) if kind != "Dropout"]  # only for training
    # A path is the name of a directory beside modules.json, so nothing outside is read.
    own = all(Path(place).name == place for _, place in found)
    if not own or not ORDER.fullmatch(" ".join(kind for kind, _ in kept)) or kept[0][1] != directory:
        raise CompactLMError(
            f"{path} lists the modules {', '.join(kinds) or 'none'}; use a sentence encoder with a Transformer in the directory itself, "
            "one Pooling, any number of Dense and at most one Normalize, in this order"
        )
    return kept[1:]


def module_files(directory: Path) -> list[Path]:
    """Return the files of a sentence encoder without its BERT and tokenizer, in a fixed order; see `list_modules` for the errors."""
    beside = [directory / name for name in (MODULES, SETTINGS, *LENGTH)]
    inside = [path / name for _, path in list_modules(directory) for name in ("config.json", "model.safetensors")]
    return [path for path in [*beside, *inside] if path.is_file()]


def is_sentence_encoder(directory: Path) -> bool:
    """Return whether a directory is a sentence encoder: its modules.json lists a module that pools.

    Raises:
        CompactLMError: modules.json cannot be read.
    """
    path = directory / MODULES
    if not path.is_file():
        return False
    listed = read_json(path)
    return isinstance(listed, list) and any(str(module.get("type")).endswith(".Pooling") for module in listed if isinstance(module, dict))


def _read_pooling(directory: Path) -> tuple[tuple[str, ...], bool]:
    """Return the names of the poolings, and whether prompts count."""
    path = directory / "config.json"
    settings = read_settings(path)
    chosen = settings.get("pooling_mode")
    if chosen is None:  # before version 6 there was a switch for each
        chosen = [mode for key, mode in OLD_POOLINGS.items() if settings.get(key)] or ["mean"]
    modes = tuple(map(str, chosen if isinstance(chosen, list) else [chosen]))
    unknown = [str(mode) for mode in modes if mode not in POOLINGS] + [
        key for key, value in settings.items() if key.startswith("pooling_mode_") and value and key not in OLD_POOLINGS
    ]
    if unknown or not modes:
        raise CompactLMError(f"{path} has the pooling {', '.join(unknown) or 'none'}; use a sentence encoder with {', '.join(POOLINGS)}")
    return modes, bool(settings.get("include_prompt", True))


def _check_widths(directory: Path, modes: int, layers: Sequence[Dense]) -> None:
    """Raise CompactLMError if the dense layers do not fit the BERT or each other."""
    width = read_settings(directory / "config.json").get("hidden_size")
    if not isinstance(width, int):
        raise CompactLMError(f"{directory}/config.json has no hidden_size; fetch or save the sentence encoder again")
    width *= modes
    for number, layer in enumerate(layers, start=1):
        height, expected = layer.weight.shape
        if expected != width:
            raise CompactLMError(
                f"Dense module {number} in {directory} reads vectors of width {expected}, but gets {width}; fetch or save the sentence "
                "encoder again"
            )
        width = height


def _maximum_length(directory: Path, settings: Mapping[str, Any]) -> int | None:
    """Return the maximum length from the files of sentence-transformers or, in its newest format, of the tokenizer; None without one."""
    tokenizer = read_settings(directory / "tokenizer_config.json", optional=True)
    for stated in (settings.get("max_seq_length"), tokenizer.get("model_max_length")):
        if isinstance(stated, int) and 2 < stated < UNLIMITED:
            positions = read_settings(directory / "config.json").get("max_position_embeddings", stated)
            return min(stated, positions) if isinstance(positions, int) else stated
    return None
