"""A linear probe: logistic regression on mean hidden states, stored as a plain BERT classifier.

With few labelled rows, logistic regression on a sentence embedding is more accurate than a fine-tuned BERT head, which reads [CLS] through
a randomly initialised layer. A plain BERT can represent the regression: an additional layer with uniform attention adds the mean of all
hidden states to [CLS], and the pooler standardises the result.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV
from transformers import BertForSequenceClassification, BertModel
from transformers.models.bert.modeling_bert import BertLayer

from compactlm.bert.batches import make_batches
from compactlm.bert.models import pad_tensors
from compactlm.student.building import build_classifier

WEIGHT = 16.0  # the weight of the mean relative to the hidden state of [CLS], to which the layer adds it
SLOPE = 0.3  # scales standardised states; small, so that the tanh of the pooler changes only outliers
STRENGTHS = np.logspace(-3, 1, 9)
FOLDS = 5
BATCH_TOKENS = 4096


@dataclasses.dataclass(frozen=True)
class Probe:
    """A fitted probe.

    Attributes:
        depth: the number of layers below the mean; with 0, the output of the embeddings is averaged.
        loss: mean cross-validation loss per row.
        mean, scale: mean and scale of the standardisation, float32 [hidden].
        weight, bias: weight and bias of the labels, float32 [labels, hidden] and [labels].
    """

    depth: int
    loss: float
    mean: torch.Tensor
    scale: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor


def averaged_states(base: BertModel, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
    """Return the output of the averaging layer at [CLS] above each depth, float32 [depths, rows, hidden]."""
    size = base.config.hidden_size
    found = torch.zeros(base.config.num_hidden_layers + 1, len(sequences), size)
    base.eval()
    for positions in make_batches([len(sequence) for sequence in sequences], BATCH_TOKENS, None):
        input_ids, attention_mask = pad_tensors([sequences[position] for position in positions])
        with torch.inference_mode():
            states = base(input_ids.to(base.device), attention_mask=attention_mask.to(base.device), output_hidden_states=True)
        shares = (attention_mask / attention_mask.sum(dim=1, keepdim=True)).unsqueeze(-1)
        for depth, layer in enumerate(states.hidden_states):
            hidden = layer.float().cpu()
            summed = WEIGHT * (hidden * shares).sum(dim=1) + hidden[:, 0]
            for _ in range(2):  # one follows the attention and one the feed-forward part, which adds zero
                summed = torch.nn.functional.layer_norm(summed, (size,), eps=base.config.layer_norm_eps)
            found[depth, positions] = summed
    return found


def fit_probe(states: torch.Tensor, targets: torch.Tensor, depths: Sequence[int]) -> Probe:
    """Return the probe with the regularisation strength and the depth that have the lowest cross-validation loss.

    Args:
        states: the result of `averaged_states`.
        targets: label ids, int64 [rows], at least FOLDS rows of each label.
        depths: the depths to choose from; the first wins a tie.
    """
    return min((_fit(states[depth], targets, depth) for depth in depths), key=lambda probe: probe.loss)


def _fit(states: torch.Tensor, targets: torch.Tensor, depth: int) -> Probe:
    mean, scale = states.mean(dim=0), SLOPE / states.std(dim=0).clamp(min=1e-6)
    pooled = torch.tanh((states - mean) * scale).double().numpy()
    regression = LogisticRegressionCV(
        Cs=STRENGTHS, cv=FOLDS, scoring="neg_log_loss", max_iter=1000, l1_ratios=(0,), use_legacy_attributes=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the weakest penalties may not converge; they are then not chosen
        regression.fit(pooled, targets.numpy())
    weight, bias = torch.from_numpy(regression.coef_).float(), torch.from_numpy(regression.intercept_).float()
    if len(weight) == 1:  # scikit-learn stores only the second of two labels
        weight, bias = torch.cat([-weight / 2, weight / 2]), torch.cat([-bias / 2, bias / 2])
    return Probe(depth, -float(regression.scores_.mean(axis=0).max()), mean, scale, weight, bias)


def build_probe(base: BertModel, labels: Sequence[str], probe: Probe, seed: int) -> BertForSequenceClassification:
    """Return the plain classifier that computes the probe: the body up to its depth, and the averaging layer."""
    layers = base.config.num_hidden_layers
    base.config.num_hidden_layers = probe.depth + 1
    model = build_classifier(base, labels, seed, body=False)
    base.config.num_hidden_layers = layers
    wanted = model.bert.state_dict()
    model.bert.load_state_dict({name: value for name, value in base.state_dict().items() if name in wanted}, strict=False)
    layer, identity = BertLayer(model.config), torch.eye(model.config.hidden_size)
    # The keys keep their random values, so that training can change the attention.
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
