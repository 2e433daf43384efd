"""What the page says of training times."""

import dataclasses

from compactlm.reporting.sections.cost import machine


def times(found):
    """The time of each phase, by its name on the page."""
    tables = [block for block in machine(found).blocks if getattr(block, "caption", "") == "Time of training"]
    return {row[0]: row[1] for row in tables[0].rows}


def test_the_time_of_a_phase_that_was_resumed_says_so(found):
    stage = found.timings["distill-train"]
    general = stage["general"]
    name = "distill-train, general"
    plain = times(found)[name]
    for step, expected in ((0, plain), (7, f"{plain} since it was resumed from step 7")):
        phases = {**stage, "general": {**general, "resumed_from_step": step}}
        changed = dataclasses.replace(found, timings={**found.timings, "distill-train": phases})
        assert times(changed) == {**times(found), name: expected}
