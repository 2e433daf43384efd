"""No module reads pickles, runs given code, or passes names to a shell, as docs/security.md says."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "compactlm"
MODULES = sorted(SOURCE.rglob("*.py"))
UNPICKLING = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "pickletools", "jsonpickle"}
READING = {  # functions that unpickle, or build arbitrary objects
    *("torch.load", "np.load", "numpy.load", "pd.read_pickle", "pandas.read_pickle", "pickle.load", "pickle.loads"),
    *("yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "torch.hub.load", "torch.jit.load"),
}
RUNNING = {"eval", "exec", "os.system", "os.popen", "os.execvp", "subprocess.getoutput", "subprocess.getstatusoutput", "__import__"}


def name_of(node):
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def faults(text):
    """Return what a module imports or calls against the statements."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in UNPICKLING]
        elif isinstance(node, ast.ImportFrom):
            found += [str(node.module)] if str(node.module).partition(".")[0] in UNPICKLING else []
        elif isinstance(node, ast.Call):
            found += [name_of(node.func)] if name_of(node.func) in READING | RUNNING else []
            for keyword in node.keywords:
                if keyword.arg in ("trust_remote_code", "shell", "allow_pickle") and not _is(keyword.value, False):
                    found.append(str(keyword.arg))
                if keyword.arg == "weights_only" and not _is(keyword.value, True):
                    found.append("weights_only")
    return found


def _is(node, value):
    return isinstance(node, ast.Constant) and node.value is value


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_module_unpickles_runs_given_code_or_uses_a_shell(path):
    assert faults(path.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(path)",
        "np.load(path)",
        "eval(text)",
        "subprocess.run(command, shell=True)",
        "form.from_pretrained(path, trust_remote_code=True)",
        "yaml.load(text)",
        "read(path, allow_pickle=flag)",
    ],
)
def test_the_search_finds_each_kind(line):
    assert len(faults(line)) == 1
