import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import compactlm
from compactlm.corpus.ingest.watching import LINKS, WATCHED, watch
from compactlm.errors import CompactLMError


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    WATCHED.mkdir(parents=True)
    return tmp_path


def links() -> dict[str, Path]:
    return {path.relative_to(LINKS).as_posix(): path.resolve() for path in LINKS.rglob("*") if path.is_symlink()}


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("text\na\n", encoding="utf-8")
    return path


def test_files_elsewhere_are_linked_and_old_links_are_removed(workspace: Path) -> None:
    inside, one, same_name = write(WATCHED / "in.csv"), write(workspace / "a/text.csv"), write(workspace / "b/text.csv")
    watch({"inside": [inside], "messages": [one, same_name], "other": [Path("a/text.csv")]})
    assert links() == {"messages/0000-text.csv": one, "messages/0001-text.csv": same_name, "other/0000-text.csv": one}
    watch({"inside": [inside], "messages": [same_name]})
    assert links() == {"messages/0000-text.csv": same_name}
    watch({"inside": [inside]})
    assert not LINKS.exists()


def test_a_folder_that_is_linked_into_the_watched_one_lies_elsewhere(workspace: Path) -> None:
    one = write(workspace / "a/text.csv")
    (WATCHED / "linked").symlink_to(one.parent)  # DVC does not enter it
    watch({"messages": [WATCHED / "linked/text.csv"]})
    assert links() == {"messages/0000-text.csv": one}


def test_links_that_cannot_be_written_are_told(workspace: Path) -> None:
    LINKS.write_text("a file", encoding="utf-8")
    with pytest.raises(CompactLMError, match=r"data/sources/\.elsewhere cannot be written"):
        watch({"messages": [write(workspace / "text.csv")]})


def test_dvc_notices_a_change_of_a_linked_file(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(workspace / "elsewhere/text.csv")
    stage = {"cmd": f"{sys.executable} stage.py", "deps": [str(WATCHED)], "outs": [{"read.csv": {"cache": False}}]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"ingest": stage}}), encoding="utf-8")
    Path("stage.py").write_text(
        "from pathlib import Path\nfrom compactlm.corpus.ingest.watching import watch\n"
        f"file = Path({str(file)!r})\nwatch({{'messages': [file]}})\nPath('read.csv').write_bytes(file.read_bytes())\n",
        encoding="utf-8",
    )
    (WATCHED / "README.md").write_text("kept", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(Path(compactlm.__file__).parents[1]))
    dvc = [shutil.which("dvc") or "dvc"]
    subprocess.run([*dvc, "init", "--no-scm", "--quiet"], check=True)
    subprocess.run([*dvc, "repro", "--quiet"], check=True)
    assert "up to date" in subprocess.run([*dvc, "status"], check=True, capture_output=True, text=True).stdout
    file.write_text("text\nchanged\n", encoding="utf-8")
    subprocess.run([*dvc, "repro", "--quiet"], check=True)
    assert Path("read.csv").read_text(encoding="utf-8") == "text\nchanged\n"
