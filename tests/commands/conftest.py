import pytest


@pytest.fixture(autouse=True)
def model(monkeypatch, export_root, tmp_path):
    """The exported tiny model is the default, and indexes are kept in a directory of the test."""
    monkeypatch.setenv("COMPACTLM_MODEL", str(export_root))
    monkeypatch.setenv("COMPACTLM_CACHE", str(tmp_path / "cache"))
