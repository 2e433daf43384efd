import hashlib

import pyarrow as pa
import pytest

from compactlm.artifacts import DOCUMENT_SCHEMA, document_schema
from compactlm.corpus.split.mixing import Mixture, mix


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0, 2.3])
def test_a_weight_is_the_mean_number_of_times_that_a_row_is_in_train(weight: float) -> None:
    names = [hashlib.blake2b(f"{number}".encode(), digest_size=16).hexdigest() for number in range(4_000)]
    table = pa.Table.from_pylist([{"id": name, "source": "s", "text": "x", "document": name} for name in names], DOCUMENT_SCHEMA)
    found, mixture = mix(table, {"s": weight, "t": 1.0}, 1, Mixture()), Mixture()
    assert len(found) / len(names) == pytest.approx(weight, abs=0.03)
    assert len(set(found["id"].to_pylist())) == len(found)
    assert found == mix(table, {"s": weight}, 1, mixture)
    assert len(found) == len(names) - mixture.left_out.total() + mixture.repeated.total()
    assert weight in (0.0, 1.0) or found != mix(table, {"s": weight}, 2, Mixture())


def test_a_repeated_copy_has_no_queries() -> None:
    row = {"id": "0" * 32, "source": "s", "text": "x", "document": "d", "queries": ["who?"]}
    table = pa.Table.from_pylist([row], document_schema(attributes=False, queries=True))
    found = mix(table, {"s": 3.0}, 1, Mixture())
    assert sorted(found["queries"].to_pylist()) == [[], [], ["who?"]]
    assert found.schema == table.schema
