"""All subjects in the order of the pipeline. A fault may cause later ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

from compactlm.doctor.examined import Run
from compactlm.doctor.findings import Fault, Finding, Unjudged
from compactlm.doctor.subjects import data, evaluation, signals, teacher, tokenizer, training
from compactlm.errors import CompactLMError

Check = Callable[[Run], Iterator[Finding]]

SUBJECTS: Mapping[str, Check] = {
    "data": data.check,
    "tokenizer": tokenizer.check,
    "teacher": teacher.check,
    "signals": signals.check,
    "training": training.check,
    "evaluation": evaluation.check,
}


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """The findings of all checks, by subject."""

    faults: Mapping[str, list[Fault]]
    unjudged: Mapping[str, list[Unjudged]]

    @property
    def exit_status(self) -> int:
        """1 if there is a fault, 2 if there is none but a check could not judge, otherwise 0."""
        return 1 if any(self.faults.values()) else 2 if any(self.unjudged.values()) else 0


def examine(run: Run) -> Diagnosis:
    """Check all subjects. A subject whose artifacts are missing or unreadable is not judged."""
    found = {subject: list(_judge(check, run)) for subject, check in SUBJECTS.items()}
    return Diagnosis(
        {subject: [one for one in findings if isinstance(one, Fault)] for subject, findings in found.items()},
        {subject: [one for one in findings if isinstance(one, Unjudged)] for subject, findings in found.items()},
    )


def _judge(check: Check, run: Run) -> Iterator[Finding]:
    try:
        yield from check(run)
    except FileNotFoundError as error:
        yield Unjudged(f"{error.filename or error} is missing; run `dvc repro`, which writes it")
    except CompactLMError as error:
        yield Unjudged(str(error))
