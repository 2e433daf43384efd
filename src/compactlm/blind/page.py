"""The page on which a person judges: one HTML file that loads and sends nothing."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources

import jinja2

from compactlm.blind.pairs import Comparison


def write_page(comparison: Comparison) -> str:
    """Return the page. It has the pairs without names. Its security policy allows only its own style and script, and no connection."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("compactlm.blind", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    files = importlib.resources.files("compactlm.blind") / "templates"
    style, script = ((files / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    content = {"page": comparison.key.page, "pairs": comparison.shown}
    hashes = {"style_hash": _hash(style), "script_hash": _hash(script)}
    return environment.get_template("page.html.j2").render(content=content, style=style, script=script, **hashes)


def _hash(text: str) -> str:
    """Return the source expression of the Content-Security-Policy that allows exactly this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
