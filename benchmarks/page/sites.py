"""The page as a file and as a folder in Chromium, and a static web server."""

import base64
import contextlib
import functools
import http.server
import json
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.page.chromium import Chromium
from compactlm.serving.browser.building import Content
from compactlm.serving.browser.folder import render_folder
from compactlm.serving.browser.rendering import render
from compactlm.serving.browser.wasm_runtime import load_runtime
from compactlm.serving.browser.writing import write_folder

# Vectors come as base64 of float32, which is shorter than JSON.
ASK = """
(async (name, texts, position) => {
  const rows = [];
  for (const text of texts) {
    const { ids, values, taken } = await compactlm.ask("console", "values", { name, text, position });
    let bytes = "";
    for (const one of new Uint8Array(Float32Array.from(values).buffer)) bytes += String.fromCharCode(one);
    rows.push({ tokens: ids.length, taken, values: btoa(bytes) });
  }
  return rows;
})"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, keeps the paths that were asked for, and prints nothing."""

    def do_GET(self) -> None:
        """Answer a request."""
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class Site:
    """A static web server of a folder on the loopback address.

    Attributes:
        url: its address.
        asked: the paths that were asked for.
    """

    def __init__(self, folder: Path) -> None:
        """Start the server."""
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(folder)))
        self.asked: list[str] = []
        self.server.asked = self.asked  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop the server."""
        self.server.shutdown()
        self.server.server_close()


class OpenPage:
    """A page that is ready in a browser of its own.

    Attributes:
        size: the bytes of all its files.
        seconds: from the navigation until the page has checked itself.
    """

    def __init__(self, tab: Chromium, url: str, size: int) -> None:
        """Open the page.

        Raises:
            RuntimeError: the page refuses to work.
        """
        self.tab, self.size = tab, size
        begun = time.perf_counter()
        tab.show(url)
        if tab.wait_for("document.documentElement.dataset.ready") != "true":
            raise RuntimeError(tab.run("document.getElementById('state').textContent"))
        self.seconds = time.perf_counter() - begun

    def answers(self, name: str, texts: Sequence[str], position: int = 1) -> list[dict[str, Any]]:
        """Return for each text `values`, float32, the number of `tokens`, and `taken`, the milliseconds with tokenization."""
        rows: list[dict[str, Any]] = self.tab.run(f"{ASK}({json.dumps(name)}, {json.dumps(list(texts))}, {position})")
        return [{**row, "values": np.frombuffer(base64.b64decode(row["values"]), np.float32)} for row in rows]


@contextlib.contextmanager
def open_file(browser: str, content: Content) -> Iterator[OpenPage]:
    """Open the page that is one file, from disk."""
    with tempfile.TemporaryDirectory() as scratch, _tab(browser) as tab:
        path = Path(scratch) / "page.html"
        path.write_text(render(content, "page"), encoding="utf-8")
        yield OpenPage(tab, path.as_uri(), path.stat().st_size)


@contextlib.contextmanager
def open_folder(browser: str, content: Content) -> Iterator[OpenPage]:
    """Open the page that is a folder, from a server on the loopback address."""
    with tempfile.TemporaryDirectory() as scratch, _tab(browser) as tab:
        files = render_folder(content, load_runtime(), "page")
        write_folder(Path(scratch) / "site", files)
        site = Site(Path(scratch) / "site")
        try:
            yield OpenPage(tab, site.url, sum(map(len, files.values())))
        finally:
            site.stop()


@contextlib.contextmanager
def _tab(browser: str) -> Iterator[Chromium]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        tab = Chromium(browser, profile)
        try:
            yield tab
        finally:
            tab.close()
