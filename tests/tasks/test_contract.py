import subprocess
import sys

import pytest

from compactlm.tasks import KINDS
from compactlm.tasks.base import Input

HEAVY = {"torch", "transformers", "sklearn", "scipy", "pandas", "pyarrow", "pydantic"}


def test_the_kinds_are_imported_without_heavy_libraries():
    code = f"import sys, compactlm.tasks; print(sorted({HEAVY!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_says_what_it_is(name):
    kind = KINDS[name]
    assert kind.name == name
    assert set(kind.main_metrics) <= set(kind.metrics)
    assert set(kind.lower_is_better) <= set(kind.metrics)
    assert all(hasattr(Input(""), field) for field in kind.fields)
    assert not kind.is_labelled(Input("a", "b"))
    assert kind.architecture in {"BertForSequenceClassification", "BertForTokenClassification", "BertForQuestionAnswering"}
