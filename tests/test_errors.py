import pickle

import pytest

from compactlm.errors import CompactLMError, needs


def test_a_message_is_one_short_printable_line() -> None:
    assert str(CompactLMError("caf\u00e9: there is no column 'x'")) == "caf\u00e9: there is no column 'x'"
    assert str(CompactLMError("a\x00b\x1b[1mc\nd\u202e")) == "a\ufffdb\ufffd[1mc d\ufffd"
    long = str(CompactLMError(f"FILE has {'x' * 50_000}; fix it"))
    assert len(long) < 1_000
    assert (long[:6], long[-8:]) == ("FILE h", "; fix it")
    assert str(pickle.loads(pickle.dumps(CompactLMError("from another process")))) == "from another process"  # noqa: S301


def test_a_missing_package_names_its_extra() -> None:
    with (
        pytest.raises(CompactLMError, match=r"^indexing .*no_such_package.*compactlm\[train\]"),
        needs("train", "indexing"),
    ):
        import no_such_package  # noqa: F401


def test_a_missing_module_of_compactlm_names_no_extra() -> None:
    with pytest.raises(ModuleNotFoundError), needs("train", "indexing"):
        import compactlm.no_such_module  # noqa: F401
