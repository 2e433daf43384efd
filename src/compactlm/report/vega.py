"""A page for `dvc plots` that opens without a network: the libraries that draw are inside it.

    python -m compactlm.report.vega .cache/plots/page.html
    dvc plots show --html-template .cache/plots/page.html

DVC's own page loads them from a content delivery network. They are fetched once, by the machine's npm with its mirrors and credentials,
at the versions that DVC's page names, and checked against the hashes below.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from compactlm.artifacts import write_text
from compactlm.errors import CompactLMError

# What DVC fills in.
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    {refresh_tag}
    <title>Plots of compactlm</title>
    <link rel="icon" href="data:,">
    <script>
LIBRARIES
    </script>
    <style>
        body { font-family: system-ui, sans-serif; margin: 1rem; background: #fff; color: #1c2024; }
        .plots { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
        table { border-spacing: 15px; }
    </style>
</head>
<body>
    <h1>Plots of compactlm</h1>
    <div class="plots">
    {plot_divs}
    </div>
</body>
</html>
"""


@dataclasses.dataclass(frozen=True)
class Library:
    """A package of the npm registry, the sha512 of its archive as the registry writes it, and the file in it that a page needs."""

    name: str
    version: str
    integrity: str
    file: str


LIBRARIES = (
    Library(
        "vega",
        "5.20.2",
        "sha512-qmH7aD9GGPpssVdxL1xgcdxTbQzyRUeRR16Os385ymvQhiwCYQNA6+eXUPAZDTVLfk0RXu6Jzj6kUE5jQ80EVw==",
        "package/build/vega.min.js",
    ),
    Library(
        "vega-lite",
        "5.2.0",
        "sha512-Yxcg8MvYfxHcG6BbkaKT0oVCIMIcE19UvqIsEwBmyd/7h2nzW7oRnID81T8UrY7hpDrIr6wa2JADOT2dhGNErw==",
        "package/build/vega-lite.min.js",
    ),
    Library(
        "vega-embed",
        "6.18.2",
        "sha512-wcDyQPE4J5aiCDc3/suH5RQDvrKkjuLkhzUcbOLwEkNF8/+pp17tS0JghzEvAPNRg+5aG1/N2ydixq8Lk3dOlg==",
        "package/build/vega-embed.min.js",
    ),
)


def integrity(path: Path) -> str:
    """Return the sha512 of a file as the npm registry writes it."""
    with path.open("rb") as file:
        return f"sha512-{base64.b64encode(hashlib.file_digest(file, 'sha512').digest()).decode()}"


def fetch(library: Library) -> str:
    """Return the library's text, by npm.

    Raises:
        CompactLMError: there is no npm, its registry cannot be reached, or the archive has another hash.
    """
    if not shutil.which("npm"):
        raise CompactLMError("npm cannot be found; install Node.js with npm to draw plots offline, or use `dvc plots show` with a network")
    with tempfile.TemporaryDirectory() as scratch:
        command = ["npm", "pack", f"{library.name}@{library.version}", "--loglevel=error", "--pack-destination", scratch]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        archives = list(Path(scratch).glob("*.tgz"))
        if done.returncode != 0 or not archives:
            last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
            raise CompactLMError(f"npm could not fetch {library.name} {library.version} ({last[:200]}); check the network and try again")
        if integrity(archives[0]) != library.integrity:
            raise CompactLMError(
                f"{library.name} {library.version} on the npm registry does not have the known sha512; use a registry that has the original"
            )
        with tarfile.open(archives[0]) as archive:
            member = archive.extractfile(library.file)
            if member is None:
                raise CompactLMError(f"{library.name} {library.version} has no {library.file}; correct the file's name in {__name__}")
            return member.read().decode("utf-8")


def page(texts: Iterable[str]) -> str:
    """Return the page with the texts of libraries in it; none of them can end the script or be taken for what DVC fills in."""
    joined = ";\n".join(texts).replace("</script", "<\\/script")
    for name in ("plot_divs", "refresh_tag", "scripts"):
        joined = joined.replace(f"{{{name}}}", f"{{ {name} }}")
    return PAGE.replace("LIBRARIES", joined)


def main() -> None:
    """Write the page to the path that is the first argument, unless it is there."""
    target = Path(sys.argv[1])
    if not target.is_file():
        try:
            write_text(target, page(map(fetch, LIBRARIES)))
        except CompactLMError as error:
            sys.exit(f"plots: {error}")


if __name__ == "__main__":
    main()
