"""/fill: the likeliest tokens for each [MASK] of a text."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from compactlm.bert.special_tokens import MASK
from compactlm.inference.filling import Candidate, likeliest
from compactlm.inference.runtime.model import Model
from compactlm.serving.http.problems import RESPONSES, Problem
from compactlm.serving.routes.inputs import Inputs, as_list, like_inputs
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Lane, Service

MOST_MASKS = 64  # in one request; in a long text each mask is computed on its own


class FillRequest(BaseModel):
    """Texts with masks."""

    inputs: Inputs = Field(examples=["The cat sits on the [MASK]."])
    top_k: int = Field(5, ge=1, le=100, description="Number of tokens for each mask.")


class MaskCandidate(BaseModel):
    """A token and its probability. A token that begins with ## continues a word."""

    token: str
    probability: float = Field(ge=0, le=1)


class Filled(BaseModel):
    """The candidates for each mask of a text, from left to right."""

    masks: list[list[MaskCandidate]]
    cut: bool = Field(description="Whether the text was truncated.")


@dataclasses.dataclass(frozen=True)
class Window:
    """Token ids that fit the model, the positions of the masks to fill, and the number of candidates."""

    ids: list[int]
    masks: list[int]
    top_k: int


def lanes(model: ServedModel) -> Mapping[str, Lane]:
    """Return the lane of the masked language model, if there is one."""
    if model.mlm is None:
        return {}
    tokenizer = model.mlm.tokenizer
    return {"/fill": Lane(functools.partial(_fill, model.mlm), Window(tokenizer.framed([tokenizer.mask]), [1], 1))}


def _fill(model: Model, windows: Sequence[Window]) -> list[list[list[Candidate]]]:
    """Return the candidates for each mask of each window. Windows run one by one, because logits take much memory."""
    found = []
    for window in windows:
        batch = model.batch([window.ids])
        where = batch.input_ids != batch.input_ids
        where[0, window.masks] = True
        found.append([likeliest(model, row, window.top_k) for row in model.runner.masked_logits(batch, where)])
    return found


def router(service: Service) -> APIRouter:
    """Return /fill."""
    routes = APIRouter(tags=["masked words"])

    @routes.post("/fill", response_model=Filled | list[Filled], responses=RESPONSES)
    async def fill(body: FillRequest) -> Response:
        """Return the likeliest tokens for each [MASK]. In a long text, a mask is filled from the text around it."""
        model = service.model.mlm
        if model is None:
            raise Problem(404, "the model has no masked language model; /info lists what it has")
        inputs = as_list(body.inputs)
        texts = await service.tokenize(model, inputs)
        windows, owners = [], []
        for owner, ids in enumerate(texts.ids):
            found = _windows(model, ids, body.top_k)
            if not found and owner in texts.cut and MASK in inputs[owner]:
                most = service.settings.max_characters
                raise Problem(422, f"input {owner} was truncated to {most:,} characters, before its first {MASK}; send a shorter text")
            if not found:
                raise Problem(422, f"input {owner} has no {MASK}; write {MASK} in place of a word")
            windows += found
            owners += [owner] * len(found)
        if sum(len(window.masks) for window in windows) > MOST_MASKS:
            raise Problem(413, f"the request has more than {MOST_MASKS} masks; send fewer")
        filled = await service.run("/fill", windows, [len(window.ids) for window in windows], "/fill")
        answers: list[dict[str, object]] = [{"masks": [], "cut": owner in texts.cut} for owner in range(len(texts.ids))]
        for owner, masks in zip(owners, filled, strict=True):
            answers[owner]["masks"] += [[{"token": one.piece, "probability": one.probability} for one in mask] for mask in masks]  # type: ignore[operator]
        return like_inputs(service, body.inputs, answers, texts)

    return routes


def _windows(model: Model, ids: Sequence[int], top_k: int) -> list[Window]:
    """Return the whole text with all its masks or, if it is too long, a window around each mask."""
    masks = [position for position, index in enumerate(ids) if index == model.tokenizer.mask]
    if not masks or len(ids) <= model.tokenizer.limit:
        return [Window(list(ids), masks, top_k)] if masks else []
    around = (model.tokenizer.around(ids, position) for position in masks)
    return [Window(window, [position], top_k) for window, position in around]
