import io
import tarfile

import pytest

from compactlm.errors import CompactLMError
from compactlm.report import vega


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library that a stand-in for npm has, and the place where its archive lies."""
    archive = tmp_path / "drawing-1.0.0.tgz"
    text = b"var draw = 1; // </script> {plot_divs}"
    with tarfile.open(archive, "w:gz") as file:
        member = tarfile.TarInfo("package/build/drawing.min.js")
        member.size = len(text)
        file.addfile(member, io.BytesIO(text))
    (tmp_path / "bin").mkdir()
    npm = tmp_path / "bin" / "npm"
    found = f'[ -e "{archive}" ] || {{ echo "no such package" >&2; exit 1; }}'
    npm.write_text(f'#!/bin/sh\nfor last in "$@"; do :; done\n{found}\ncp "{archive}" "$last"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return vega.Library("drawing", "1.0.0", vega.integrity(archive), "package/build/drawing.min.js")


def test_a_library_is_read_from_its_archive(library):
    assert vega.fetch(library).startswith("var draw")


def test_an_archive_with_another_hash_is_refused(library):
    with pytest.raises(CompactLMError, match="does not have the known sha512"):
        vega.fetch(vega.Library(library.name, library.version, "sha512-other", library.file))


def test_a_registry_without_it_is_told_of(library, tmp_path):
    (tmp_path / "drawing-1.0.0.tgz").unlink()
    with pytest.raises(CompactLMError, match=r"npm could not fetch drawing 1\.0\.0 \(no such package\)"):
        vega.fetch(library)


def test_without_npm_the_sentence_says_what_to_do(library, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CompactLMError, match="npm cannot be found"):
        vega.fetch(library)


def test_dvc_fills_the_page_in_and_nothing_in_the_libraries(library):
    from dvc_render.html import HTML

    made = (
        HTML(vega.page([vega.fetch(library)]))
        .with_scripts('<script src="https://cdn.example/vega"></script>')
        .with_element("<p>plot</p>")
        .embed()
    )
    assert made.count("<p>plot</p>") == 1
    assert "cdn.example" not in made
    assert made.count("</script>") == 1


def test_the_libraries_are_those_that_dvc_draws_with():
    from dvc_render.vega import VegaRenderer

    for library in vega.LIBRARIES:
        assert f"{library.name}@{library.version}" in VegaRenderer.SCRIPTS
