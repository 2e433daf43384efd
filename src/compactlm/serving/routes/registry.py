"""All routes of the server. A new kind of task is a module with `lanes` and `router`, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from fastapi import APIRouter

from compactlm.serving.routes import answers, classification, masked_words, openai, parts, sentences, status, summaries, tokens
from compactlm.serving.served import ServedModel
from compactlm.serving.service import Lane, Service


class Part(NamedTuple):
    """A part of the server.

    Attributes:
        lanes: a function that returns the kinds of items that its routes put into the queue, if the model supports them.
        router: a function that returns its routes. They answer 404 if the model does not support them.
    """

    lanes: Callable[[ServedModel], Mapping[str, Lane]]
    router: Callable[[Service], APIRouter]


PARTS = [
    Part(module.lanes, module.router) for module in (classification, parts, sentences, masked_words, answers, summaries, tokens, openai)
]
PARTS.append(Part(lambda _: {}, status.router))


def all_lanes(model: ServedModel) -> dict[str, Lane]:
    """Return the lanes of all parts."""
    return {name: lane for part in PARTS for name, lane in part.lanes(model).items()}
