"""Write the page as a folder for a static web server: HTML, scripts, ONNX files, and ONNX Runtime for WebAssembly.

The page and its worker may connect only to their own server. A service worker keeps the files in the browser.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from compactlm.serving.browser.building import Content
from compactlm.serving.browser.rendering import APPLICATION, as_json, common_parts, insert, security_policy, source
from compactlm.serving.browser.wasm_runtime import BINARY, SCRIPT

WORKER = ("folder/models.js", "tokenizer.js", "tensors.js", "reading.js", "outputs.js", "engine.js", "worker.js")
PAGE, SERVICE_WORKER, HEADER, PROJECTIONS = "index.html", "service-worker.js", "header.json", "projections.bin"
RUNTIME_SCRIPT = "runtime/ort.js"  # some servers send a file named .mjs with a type that browsers do not run
RUNTIME_BINARY = f"runtime/{BINARY}"
PROJECTION = ("projection.weight", "projection.mean")
FLOAT_BYTES = 4
LEAD = (
    "The model is downloaded and runs in this browser. The security policy of the page allows connections to its own server only, and "
    "these load the files of the page, so no text leaves the device."
)
WAITING = "The page needs JavaScript and a web server."
POLICY = {
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
}


def render_folder(content: Content, runtime: Mapping[str, bytes], title: str, card: str = "") -> dict[str, bytes]:
    """Return the files of the folder by their paths.

    Args:
        content: the models.
        runtime: the files of onnxruntime-web by name; see wasm_runtime.
        title: the heading.
        card: a model card in Markdown; "" leaves it out.
    """
    binaries = {RUNTIME_SCRIPT: runtime[SCRIPT], RUNTIME_BINARY: runtime[BINARY]}
    binaries |= {f"models/{name}.onnx": graph for name, graph in content.graphs.items()}
    header, projections = _header(content, runtime)
    if projections:
        binaries[PROJECTIONS] = projections
    parts = {
        "policy": security_policy(POLICY),
        "head": '<link rel="stylesheet" href="page.css">',
        "lead": LEAD,
        "waiting": WAITING,
        "tail": '<script src="page.js"></script>',
    }
    texts = {
        PAGE: insert(source(["page.html"]), common_parts(content, title, card) | parts),
        "page.css": source(["page.css"]),
        "page.js": source([*APPLICATION, "folder/entry.js"]),
        "worker.js": source(WORKER),
        HEADER: as_json(header),
    }
    files = binaries | {path: text.encode() for path, text in texts.items()}
    listed = ["./", *sorted(path for path in files if path != PAGE)]
    version = hashlib.sha256(b"".join(hashlib.sha256(path.encode() + files[path]).digest() for path in sorted(files))).hexdigest()[:16]
    own = {"version": json.dumps(version), "files": json.dumps(listed)}
    return files | {SERVICE_WORKER: insert(source([f"folder/{SERVICE_WORKER}"]), own).encode()}


def _header(content: Content, runtime: Mapping[str, bytes]) -> tuple[dict[str, Any], bytes]:
    """Return the header. It names the models' files instead of their tensors, and has the projections of sentence embeddings."""
    projections = b""
    models = []
    for model in content.header["models"]:
        path = f"models/{model['name']}.onnx"
        kept: dict[str, Any] = {}
        for name in PROJECTION:
            if name in model["tensors"]:
                place, shape = model["tensors"][name]["at"], model["tensors"][name]["shape"]
                kept[name] = {"shape": shape, "at": len(projections)}
                projections += content.weights[place : place + FLOAT_BYTES * math.prod(shape)]
        models.append({**model, "tensors": kept, "file": {"path": path, "bytes": len(content.graphs[model["name"]])}})
    header = {**content.header, "models": models, "runtime": {"path": RUNTIME_BINARY, "bytes": len(runtime[BINARY])}}
    if projections:
        header["weights"] = {"path": PROJECTIONS, "bytes": len(projections)}
    return header, projections
