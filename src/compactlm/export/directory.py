"""Write the ONNX files of a BERT in the layout that transformers.js expects."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import onnx
from transformers import BertForQuestionAnswering, BertModel, BertPreTrainedModel

from compactlm import artifacts
from compactlm.bert.sentence_encoder.dense import Dense
from compactlm.bert.sentence_encoder.modules import SentenceModules, is_sentence_encoder
from compactlm.bert.sentence_encoder.writing import write_modules
from compactlm.errors import CompactLMError
from compactlm.export.bert_graph import build_bert
from compactlm.export.quantization import quantize
from compactlm.inference.runtime.directories import FLOAT_FILE, INT8_FILE
from compactlm.inference.runtime.projection import FILE as PROJECTION


def output_names(model: BertPreTrainedModel) -> tuple[str, ...]:
    """Return the names of the outputs: last_hidden_state without a head, start_logits and end_logits for questions, else logits."""
    if isinstance(model, BertForQuestionAnswering):
        return ("start_logits", "end_logits")
    return ("last_hidden_state",) if isinstance(model, BertModel) else ("logits",)


def export_onnx(model: BertPreTrainedModel, path: Path, opset: int, dense: Sequence[Dense] = (), states: Sequence[int] = ()) -> None:
    """Write an fp32 ONNX file; `build_bert` describes its inputs and outputs.

    Args:
        model: a BertModel, or a BERT with a head that `build_bert` knows, on the CPU.
        path: the file to write; its directory must exist.
        opset: the version of the ONNX operators.
        dense: linear layers on top of a BertModel.
        states: layers of a BertModel whose hidden states are further outputs; see `build_bert`.

    Raises:
        CompactLMError: the graph does not support the model.
    """
    config = model.config
    if config.hidden_act != "gelu" or config.is_decoder or not getattr(config, "tie_word_embeddings", True):
        raise CompactLMError(
            f"{path} cannot be written for a model with hidden_act {config.hidden_act!r}, is_decoder {config.is_decoder} and "
            f"tie_word_embeddings {config.tie_word_embeddings}; train a model with gelu, false and true"
        )
    weights = {name: tensor.detach().float().numpy() for name, tensor in model.state_dict().items()}
    proto = build_bert(weights, config, opset, dense, states)
    onnx.checker.check_model(proto)
    onnx.save_model(proto, path)


def write_directory(model: BertPreTrainedModel, source: Path, target: Path, opset: int) -> None:
    """Write config.json, the tokenizer, onnx/model.onnx and onnx/model_quantized.onnx.

    The graph of a sentence encoder includes its dense layers, so the modules next to it have only pooling and normalisation. The projection
    of any other sentence embedding is next to the model.

    Args:
        model: the model to export; it may be the body of the model in `source`.
        source: a directory with config.json and the tokenizer.
        target: the directory to write; it must not exist.
        opset: the version of the ONNX operators.

    Raises:
        CompactLMError: the graph does not support the model or its modules.
    """
    (target / FLOAT_FILE).parent.mkdir(parents=True)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(source / file, target / file)
    config = {**artifacts.read_json(source / "config.json"), "architectures": [type(model).__name__]}
    artifacts.write_json(target / "config.json", config)
    dense: tuple[Dense, ...] = ()
    if isinstance(model, BertModel) and is_sentence_encoder(source):
        dense = _write_modules(source, target)
    elif isinstance(model, BertModel) and (source / PROJECTION).is_file():
        shutil.copyfile(source / PROJECTION, target / PROJECTION)
    export_onnx(model, target / FLOAT_FILE, opset, dense)
    quantize(target / FLOAT_FILE, target / INT8_FILE)


def _write_modules(source: Path, target: Path) -> tuple[Dense, ...]:
    """Write the modules that follow the graph, and return the dense layers for the graph."""
    modules = SentenceModules.read(source)
    if not modules.per_token or modules.prompt:
        raise CompactLMError(
            f"the sentence encoder in {source} cannot be exported, because its vectors are not means of linear functions of tokens; use "
            "one with the pooling mean, dense layers without activation and no default prompt"
        )
    width = len(modules.dense[-1].weight) if modules.dense else None
    write_modules(target, ("mean",), (), modules.normalise, modules.maximum_length, width)
    return modules.dense
