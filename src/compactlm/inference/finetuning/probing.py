"""A linear probe: logistic regression over the mean of a text's hidden states, held by a plain BERT classifier.

From few labelled rows the head of a BERT classifier, which reads [CLS] through a layer that starts at random, learns less than logistic
regression over a sentence embedding does. A plain BERT can hold the latter: one layer more, whose attention is the same everywhere,
adds the mean of all hidden states to [CLS], and the pooler standardises it.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV
from transformers import BertForMaskedLM, BertForSequenceClassification
from transformers.models.bert.modeling_bert import BertLayer

from compactlm.bert.batches import make_batches
from compactlm.bert.models import pad_tensors
from compactlm.distillation.task import build_task_student

WEIGHT = 16.0  # of the mean against the state of [CLS] itself, to which a layer adds it
SLOPE = 0.3  # of standardised states, small enough that the pooler's tanh bends outliers alone
STRENGTHS = np.logspace(-3, 1, 9)
FOLDS = 5
BATCH_PIECES = 4096


@dataclasses.dataclass(frozen=True)
class Probe:
    """A fitted probe of some depth: the number of the body's layers below the mean.

    Attributes:
        depth: 0 averages what the embeddings give.
        loss: of cross-validation, a row.
        mean, scale: of the standardisation, float32 [hidden].
        weight, bias: of the labels, float32 [labels, hidden] and [labels].
    """

    depth: int
    loss: float
    mean: torch.Tensor
    scale: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor


def averaged_states(base: BertForMaskedLM, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
    """Return what the averaging layer gives at [CLS] above each depth, float32 [depths, rows, hidden]."""
    size = base.config.hidden_size
    found = torch.zeros(base.config.num_hidden_layers + 1, len(sequences), size)
    base.eval()
    for positions in make_batches([len(sequence) for sequence in sequences], BATCH_PIECES, None):
        input_ids, attention_mask = pad_tensors([sequences[position] for position in positions])
        with torch.inference_mode():
            states = base.bert(input_ids.to(base.device), attention_mask=attention_mask.to(base.device), output_hidden_states=True)
        shares = (attention_mask / attention_mask.sum(dim=1, keepdim=True)).unsqueeze(-1)
        for depth, layer in enumerate(states.hidden_states):
            hidden = layer.float().cpu()
            summed = WEIGHT * (hidden * shares).sum(dim=1) + hidden[:, 0]
            for _ in range(2):  # behind the attention, and behind the feed-forward part that adds nothing yet
                summed = torch.nn.functional.layer_norm(summed, (size,), eps=base.config.layer_norm_eps)
            found[depth, positions] = summed
    return found


def fit_probe(states: torch.Tensor, targets: torch.Tensor, depths: Sequence[int]) -> Probe:
    """Return the probe with the lowest loss of cross-validation, by which its strength and its depth are chosen.

    Args:
        states: of `averaged_states`.
        targets: label ids, int64 [rows], FOLDS rows or more of each label.
        depths: to choose from; of equally good ones the first.
    """
    return min((_fit(states[depth], targets, depth) for depth in depths), key=lambda probe: probe.loss)


def _fit(states: torch.Tensor, targets: torch.Tensor, depth: int) -> Probe:
    mean, scale = states.mean(dim=0), SLOPE / states.std(dim=0).clamp(min=1e-6)
    pooled = torch.tanh((states - mean) * scale).double().numpy()
    regression = LogisticRegressionCV(
        Cs=STRENGTHS, cv=FOLDS, scoring="neg_log_loss", max_iter=1000, l1_ratios=(0,), use_legacy_attributes=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the weakest penalties, which are then not chosen
        regression.fit(pooled, targets.numpy())
    weight, bias = torch.from_numpy(regression.coef_).float(), torch.from_numpy(regression.intercept_).float()
    if len(weight) == 1:  # of two labels scikit-learn keeps the second's alone
        weight, bias = torch.cat([-weight / 2, weight / 2]), torch.cat([-bias / 2, bias / 2])
    return Probe(depth, -float(regression.scores_.mean(axis=0).max()), mean, scale, weight, bias)


def build_probe(base: BertForMaskedLM, labels: Sequence[str], probe: Probe, seed: int) -> BertForSequenceClassification:
    """Return the plain classifier that gives the probe's answers: the body up to its depth, and the layer that averages."""
    layers = base.config.num_hidden_layers
    base.config.num_hidden_layers = probe.depth + 1
    model = build_task_student(base, labels, seed, body=False)
    base.config.num_hidden_layers = layers
    wanted = model.bert.state_dict()
    model.bert.load_state_dict({name: value for name, value in base.bert.state_dict().items() if name in wanted}, strict=False)
    layer, identity = BertLayer(model.config), torch.eye(model.config.hidden_size)
    # The keys stay at random, so that training can make the attention uneven.
    for linear, weight in (
        (layer.attention.self.query, 0 * identity),
        (layer.attention.self.value, identity),
        (layer.attention.output.dense, WEIGHT * identity),
        (layer.output.dense, torch.zeros_like(layer.output.dense.weight)),
    ):
        linear.weight.data.copy_(weight)
        linear.bias.data.zero_()
    model.bert.encoder.layer[probe.depth] = layer
    model.bert.pooler.dense.weight.data.copy_(torch.diag(probe.scale))
    model.bert.pooler.dense.bias.data.copy_(-probe.mean * probe.scale)
    model.classifier.weight.data.copy_(probe.weight)
    model.classifier.bias.data.copy_(probe.bias)
    return model
