"""The mean of a BERT's last hidden states, as a vector of a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm
from transformers import BertModel

from compactlm.bert.batches import make_batches
from compactlm.bert.models import pad_tensors


def mean_states(
    body: BertModel, sequences: Sequence[Sequence[int]], padding: int, batch_tokens: int, description: str = ""
) -> npt.NDArray[np.float64]:
    """Return the mean of each sequence's last hidden states, float64 [sequences, hidden size]. The model is put into eval mode.

    `padding` is the id of [PAD]; a batch has at most `batch_tokens` tokens, padding included. Progress is shown with a description.
    """
    body.eval()
    found = np.zeros((len(sequences), body.config.hidden_size))
    batches = make_batches([len(sequence) for sequence in sequences], batch_tokens) if sequences else []
    for rows in tqdm(batches, desc=description, unit="batch", mininterval=0.5, disable=not description):
        input_ids, attention_mask = pad_tensors([sequences[row] for row in rows], padding)
        with torch.inference_mode():
            hidden = body(input_ids.to(body.device), attention_mask=attention_mask.to(body.device)).last_hidden_state.double().cpu()
        found[rows] = ((hidden * attention_mask[..., None]).sum(dim=1) / attention_mask.sum(dim=1, keepdim=True)).numpy()
    return found
