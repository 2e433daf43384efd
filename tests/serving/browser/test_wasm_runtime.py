"""Where the files of onnxruntime-web come from, with small files in place of the real ones."""

import hashlib
import io
import json
import tarfile

import pytest

from compactlm.errors import CompactLMError
from compactlm.serving.browser import wasm_runtime

CONTENTS = {name: f"content of {name}".encode() for name in wasm_runtime.DIGESTS}


@pytest.fixture(autouse=True)
def small_files(monkeypatch, tmp_path):
    monkeypatch.setattr(wasm_runtime, "DIGESTS", {name: hashlib.sha256(value).hexdigest() for name, value in CONTENTS.items()})
    monkeypatch.setenv("COMPACTLM_CACHE", str(tmp_path / "cache"))


def write_archive(path, contents=CONTENTS):
    with tarfile.open(path, "w:gz") as archive:
        for name, value in contents.items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(value)
            archive.addfile(member, io.BytesIO(value))
    return path


def write_package(path, contents=CONTENTS):
    (path / "dist").mkdir(parents=True)
    for name, value in contents.items():
        (path / "dist" / name).write_bytes(value)
    return path


@pytest.fixture
def npm(monkeypatch, tmp_path):
    """Return a function that puts a program in npm's place; it keeps its arguments and copies an archive, or fails."""
    calls = tmp_path / "calls.jsonl"

    def put(archive=None):
        program = tmp_path / "bin/npm"
        program.parent.mkdir(exist_ok=True)
        done = f"shutil.copy({str(archive)!r}, sys.argv[-1])" if archive else "sys.exit('npm error code E404')"
        lines = [
            "#!/usr/bin/env python3",
            "import json, shutil, sys",
            f"open({str(calls)!r}, 'a').write(json.dumps(sys.argv[1:]) + chr(10))",
        ]
        program.write_text("\n".join([*lines, done]) + "\n")
        program.chmod(0o755)
        monkeypatch.setattr(wasm_runtime.shutil, "which", lambda name: str(program) if name == "npm" else None)
        return calls

    return put


def test_npm_is_asked_once(npm, tmp_path):
    calls = npm(write_archive(tmp_path / "onnxruntime-web-1.30.0.tgz"))
    assert wasm_runtime.load_runtime() == CONTENTS
    assert wasm_runtime.load_runtime() == CONTENTS
    [arguments] = [json.loads(line) for line in calls.read_text().splitlines()]
    assert arguments[:3] == ["pack", f"onnxruntime-web@{wasm_runtime.VERSION}", "--ignore-scripts"]


@pytest.mark.parametrize("write", [write_archive, write_package])
def test_a_given_package_needs_no_npm(monkeypatch, tmp_path, write):
    monkeypatch.setattr(wasm_runtime.shutil, "which", lambda _: None)
    assert wasm_runtime.load_runtime(write(tmp_path / "given")) == CONTENTS


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ({**CONTENTS, wasm_runtime.BINARY: b"another"}, "is not that of onnxruntime-web"),
        ({wasm_runtime.SCRIPT: CONTENTS[wasm_runtime.SCRIPT]}, "cannot be read from"),
    ],
)
@pytest.mark.parametrize("write", [write_archive, write_package])
def test_other_files_are_refused(tmp_path, write, contents, sentence):
    with pytest.raises(CompactLMError, match=sentence):
        wasm_runtime.load_runtime(write(tmp_path / "given", contents))


def test_a_file_that_swells_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(wasm_runtime, "LARGEST", 1_000)
    path = write_archive(tmp_path / "given.tgz", {name: bytes(100_000) for name in CONTENTS})
    assert path.stat().st_size < 1_000
    with pytest.raises(CompactLMError, match="has more than 1,000 bytes"):
        wasm_runtime.load_runtime(path)


def test_failures_are_sentences(monkeypatch, npm, tmp_path):
    npm()
    with pytest.raises(CompactLMError, match=r"could not download .*E404.*--runtime"):
        wasm_runtime.load_runtime()
    monkeypatch.setattr(wasm_runtime.shutil, "which", lambda _: None)
    with pytest.raises(CompactLMError, match=r"npm.*cannot be found; install Node\.js"):
        wasm_runtime.load_runtime()
    (tmp_path / "no archive.tgz").write_bytes(b"text")
    with pytest.raises(CompactLMError, match="cannot be read from"):
        wasm_runtime.load_runtime(tmp_path / "no archive.tgz")
    with pytest.raises(CompactLMError, match="cannot be read from"):
        wasm_runtime.load_runtime(tmp_path / "nowhere")
