import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPACTLM_CACHE", str(tmp_path / "cache"))
