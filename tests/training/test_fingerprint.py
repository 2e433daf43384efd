from compactlm.training import checkpoints
from compactlm.training.checkpoints import fingerprint


def test_the_fingerprint_covers_all_code_and_its_paths(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PACKAGE", tmp_path)
    (tmp_path / "distillation" / "losses").mkdir(parents=True)
    found = [fingerprint({}, [])]
    for path, content in (("distillation/a.py", "1"), ("distillation/a.py", "2"), ("distillation/losses/b.py", "1")):
        (tmp_path / path).write_text(content)
        found.append(fingerprint({}, []))
    (tmp_path / "distillation" / "losses" / "b.py").rename(tmp_path / "distillation" / "b.py")
    found.append(fingerprint({}, []))
    monkeypatch.setattr(checkpoints.torch, "__version__", "0")
    found.append(fingerprint({}, []))
    assert len(set(found)) == len(found)
    (tmp_path / "distillation" / "notes.txt").write_text("1")
    assert fingerprint({}, []) == found[-1]


def test_the_fingerprint_covers_parameters_and_files(tmp_path):
    (tmp_path / "data" / "part").mkdir(parents=True)
    (tmp_path / "data" / "part" / "a").write_text("1")
    (tmp_path / "data" / "b").write_text("2")
    files = [tmp_path / "data"]
    first = fingerprint({"x": 1, "y": [2, 3]}, files)
    assert fingerprint({"y": [2, 3], "x": 1}, files) == first
    assert fingerprint({"x": 1, "y": [3, 2]}, files) != first
    (tmp_path / "data" / "part" / "a").write_text("one")
    changed = fingerprint({"x": 1, "y": [2, 3]}, files)
    assert changed != first
    (tmp_path / "data" / "b").rename(tmp_path / "data" / "c")
    assert fingerprint({"x": 1, "y": [2, 3]}, files) not in {first, changed}
    assert fingerprint({"x": 1, "y": [2, 3]}, [tmp_path / "data" / "c"]) not in {first, changed}
