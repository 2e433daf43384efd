"""A batch never changes an answer: alone and in any batch the values are equal within 1e-5."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compactlm.inference.tasks.encoding import encoder_of
from compactlm.serving.app import create_service
from compactlm.serving.settings import Settings
from compactlm.tasks.base import Input

CLOSE = 1e-5


@pytest.fixture(scope="module")
def model(export_root):
    """The lanes of a loaded model, and the answer of each text alone."""
    service = create_service(Settings(model=export_root, threads=1))
    service.model.load()
    yield service
    service.close()


def inputs(service, texts):
    """Return lanes with the payloads and the token counts of texts."""
    rows = encoder_of(service.model.tasks["sentiment"], 1)([Input(text) for text in texts])
    sizes = [len(row.examples[0].input_ids) for row in rows]
    return {"/predict sentiment": (rows, sizes), "/embed": (texts, sizes)}


def numbers(answers):
    """Return the outputs of the model and the probabilities of answers, or vectors."""
    return np.array([[*one.outputs[0], *one.answer.probabilities.values()] if hasattr(one, "outputs") else one for one in answers])


@settings(max_examples=30)
@given(data=st.data())
def test_alone_and_in_any_batch(model, tiny_texts, data):
    texts = data.draw(st.lists(st.sampled_from([*tiny_texts, "dog", "music " * 50, "é ! 1999"]), min_size=1, max_size=40))
    batch_tokens, workers = data.draw(st.integers(1, 500)), data.draw(st.integers(1, 3))
    split = data.draw(st.integers(1, 7))

    async def together(lane, payloads, sizes):
        from compactlm.serving.batching import Batcher

        runs = {name: one.run for name, one in model.lanes.items()}
        batcher = Batcher(runs, workers=workers, batch_tokens=batch_tokens, wait=0.001, queue_tokens=10**9)
        try:
            steps = range(0, len(payloads), split)
            calls = (batcher.submit(lane, payloads[start : start + split], sizes[start : start + split]) for start in steps)
            return [answer for answers in await asyncio.gather(*calls) for answer in answers]
        finally:
            batcher.close()

    for lane, (payloads, sizes) in inputs(model, texts).items():
        alone = [model.lanes[lane].run([payload])[0] for payload in payloads]
        found = asyncio.run(together(lane, payloads, sizes))
        assert np.abs(numbers(found) - numbers(alone)).max() <= CLOSE
