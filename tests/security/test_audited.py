"""The product's paths run in a process in which unpickling a class, a connection, and a new process raise an error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Python reports these before they happen (PEP 578). Building a class or function from a pickle is `pickle.find_class`.
REFUSE = """
import pickle, sys
def hook(event, arguments):
    if event in REFUSED:
        raise RuntimeError(f"refused: {event} {arguments}")
"""
WATCHED = """
REFUSED = {"pickle.find_class", "socket.connect", "socket.getaddrinfo", "os.system", "os.exec", "subprocess.Popen", "os.fork"}
sys.addaudithook(hook)
"""
USE = """
from pathlib import Path
from compactlm import CompactLM
student, exported, scratch = map(Path, sys.argv[1:])
faq = scratch / "faq.jsonl"
faq.write_text('{"question": "is the film good?", "answer": "very good"}\\n' * 3)
for directory, backend in ((student, "torch"), (exported, "onnx")):
    lm = CompactLM(directory, backend=backend, threads=1)
    lm.classify("the film was very good")
    lm.embed(["the film was very good"])
    lm.fill("the [MASK] was good")
    for _ in range(2):  # builds the index, then reads it
        lm.knowledge(faq, scratch / backend).answer("the film?", -1.0)
print("ended")
"""
READ = """
from pathlib import Path
from compactlm.bert import models
from compactlm.teacher.checks import check_teacher
student, exported, scratch = map(Path, sys.argv[1:])
models.load_tokenizer(student / "mlm")
models.load_masked_lm(student / "mlm")
check_teacher(student / "mlm", 32)
print("ended")
"""


def run(code, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("path", [USE, READ], ids=["use", "read"])
def test_models_and_indexes_are_read_without_unpickling_a_connection_or_a_new_process(path, student_root, export_root, tmp_path):
    # Some libraries ask the system for facts while they are imported, so the hook comes after the imports.
    imports = "import transformers, torch, onnxruntime, tokenizers, safetensors.torch\nimport compactlm.inference.api\n"
    done = run(REFUSE + imports + WATCHED + path, student_root, export_root, tmp_path)
    assert done.stdout.strip().endswith("ended"), done.stderr[-2000:]


@pytest.mark.parametrize(
    "harm",
    [
        "class A: pass\npickle.loads(pickle.dumps(A()))",
        "import torch; torch.load(sys.argv[0], weights_only=False)",
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import os; os.system('true')",
    ],
    ids=["pickle", "torch", "socket", "system"],
)
def test_the_hook_refuses_each_of_them(harm, tmp_path):
    code = REFUSE + WATCHED + harm
    if "torch" in harm:
        path = tmp_path / "w.bin"
        made = run(f"import torch, collections; torch.save(collections.Counter(), {str(path)!r})")
        assert made.returncode == 0, made.stderr
        code = code.replace("sys.argv[0]", repr(str(path)))
        code = code.replace(REFUSE, REFUSE + "import torch\n")
    done = run(code)
    assert "refused:" in done.stderr
