import pickle

from compactlm.errors import CompactLMError


def test_a_sentence_stays_one_that_can_be_read() -> None:
    assert str(CompactLMError("caf\u00e9: there is no column 'x'")) == "caf\u00e9: there is no column 'x'"
    assert str(CompactLMError("a\x00b\x1b[1mc\nd\u202e")) == "a\ufffdb\ufffd[1mc d\ufffd"
    long = str(CompactLMError(f"FILE has {'x' * 50_000}; mend it"))
    assert len(long) < 1_000
    assert (long[:6], long[-9:]) == ("FILE h", "; mend it")
    assert str(pickle.loads(pickle.dumps(CompactLMError("from another process")))) == "from another process"  # noqa: S301
