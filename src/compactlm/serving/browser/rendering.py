"""Write the page: one HTML file with everything inside, under a security policy that allows no connection."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from compactlm.errors import CompactLMError
from compactlm.serving.browser.building import Content

ENGINE = ("tokenizer.js", "tensors.js", "reading.js", "outputs.js", "file/bert.js", "file/models.js", "engine.js", "worker.js")
APPLICATION = ("client.js", "panel-classify.js", "panel-tokens.js", "panel-sentences.js", "panel-fill.js", "panel-speed.js", "start.js")
LEAD = (
    "This file contains the model. It runs in this browser, without a server. The security policy of the page forbids every connection, so "
    "no text leaves the device."
)
WAITING = "The page needs JavaScript."
USES = {"mlm": "masked words", "embedding": "sentence vectors", "span": "answers to questions in a passage"}
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
LOWERED = 2  # the levels by which the headings of a card stand below those of the page
MARKER = re.compile(r"\{\{(\w+)\}\}")


def source(names: Sequence[str]) -> str:
    """Return the concatenated text of some files of the page."""
    folder = resources.files("compactlm.serving.browser") / "web"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def render(content: Content, title: str, card: str = "") -> str:
    """Return the page as one file.

    Args:
        content: the models.
        title: the heading.
        card: a model card in Markdown; "" leaves it out.
    """
    style, script = source(["page.css"]), source([*APPLICATION, "file/entry.js"])
    weights = base64.b64encode(content.weights).decode()
    tail = (
        f'<script type="application/json" id="header">{as_json(content.header)}</script>\n'
        f'<script type="text/plain" id="weights">{weights}</script>\n'
        f'<script type="text/plain" id="worker">{source(ENGINE)}</script>\n'
        f"<script>{script}</script>"
    )
    policy = {"style-src": _hash(style), "script-src": _hash(script), "worker-src": "blob:", "connect-src": "'none'"}
    parts = {"policy": security_policy(policy), "head": f"<style>{style}</style>", "lead": LEAD, "waiting": WAITING, "tail": tail}
    return insert(source(["page.html"]), common_parts(content, title, card) | parts)


def common_parts(content: Content, title: str, card: str) -> dict[str, str]:
    """Return the parts of the page that depend on the models."""
    models = content.header["models"]
    return {
        "title": html.escape(title),
        "models": "".join(map(_model_row, models)),
        "rows": str(sum(len(model["frozen"]) for model in models)),
        "bound": str(content.header["bound"]),
        "card": _card(card),
    }


def read_card(path: Path) -> str:
    """Read a model card.

    Raises:
        CompactLMError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CompactLMError(f"the model card {path} cannot be read ({error}); pass another file with --card") from None


def insert(template: str, parts: Mapping[str, str]) -> str:
    """Return a template with the parts inserted."""
    return MARKER.sub(lambda found: parts[found[1]], template)


def security_policy(allowed: Mapping[str, str]) -> str:
    """Return a Content-Security-Policy that allows these sources, icons inside the page, and nothing else."""
    listed = "; ".join(f"{kind} {value}" for kind, value in allowed.items())
    return f"default-src 'none'; {listed}; img-src data:; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def as_json(value: Any) -> str:
    """Return JSON that cannot end the script element that contains it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _model_row(model: Mapping[str, Any]) -> str:
    use = USES.get(model["kind"]) or f"{'tags' if model['kind'] == 'tagging' else 'labels'}: {', '.join(model['labels'])}"
    if model.get("activation") == "none":
        use = "a number"
    cells = [model["name"], use, f"{model['layers']} layers of size {model['width']}", f"{model['parameters']:,}"]
    return f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>"


def _card(markdown: str) -> str:
    """Return a model card as HTML. Its headings are below the level of the page's headings."""
    if not markdown:
        return ""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(FRONT_MATTER.sub("", markdown))
    for token in tokens:
        if token.type.startswith("heading"):
            token.tag = f"h{min(int(token.tag[1]) + LOWERED, 6)}"
    body = parser.renderer.render(tokens, parser.options, {})
    body = body.replace("<table>", '<div class="wide" tabindex="0" role="region" aria-label="Table"><table>').replace(
        "</table>", "</table></div>"
    )
    return f"<details><summary>The model card</summary>\n{body.replace('<pre>', '<pre tabindex=0>')}</details>"
