"""The house: no import goes back, no files import each other in a circle, and files are small."""

import ast
import graphlib
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {"mec_cf_gym": ROOT / "mec_cf_gym", "baselines": ROOT / "baselines", "agents": ROOT / "agents"}
LINE = (
    ("errors", "arrays", "units", "parts", "batches", "lazy", "commands", "registration"),
    ("scenario",),
    ("kernels", "normals", "gammas", "remembered"),
    ("random_streams",),
    ("network",),
    ("recordings", "dynamics"),
    ("block",),
    ("allocation",),
    ("performance",),
    ("deployments",),
    ("world", "dynamic_world"),
    ("envs",),
    ("evaluation",),
    ("baselines",),
    ("agents",),
    ("cli", "__main__"),
)
"""What stands first is imported by what follows, never the other way. The first row is about no physics at all."""
MOST_LINES = 330


def modules():
    """Return every file of the three packages by the name it is imported by."""
    found = {}
    for package, folder in FOLDERS.items():
        prefix = package if package == "mec_cf_gym" else f"mec_cf_gym.{package}"
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join([prefix, *(part for part in parts if part != "__init__")])
            found[name] = path
    return found


MODULES = modules()


def imports(path, known=frozenset(MODULES)):
    """Return the modules that a file imports anywhere, in functions and for type checking as well."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (submodules & known) or {node.module}
    return found & known


def place(module):
    """Return where a module stands in the line; None for the face, which hands names on from all of it."""
    parts = module.split(".")
    if len(parts) == 1:
        return None
    return next(place for place, names in enumerate(LINE) if parts[1] in names)


def test_every_file_has_its_place():
    assert {place(module) for module in MODULES} == {None, *range(len(LINE))}


@pytest.mark.parametrize("module", MODULES)
def test_no_import_goes_back(module):
    here = place(module)
    back = [other for other in imports(MODULES[module]) if here is not None and (place(other) or 0) > here]
    assert back == []


def test_no_files_import_each_other_in_a_circle():
    graph = {module: imports(path) - {module} for module, path in MODULES.items()}
    graphlib.TopologicalSorter(graph).prepare()  # raises a CycleError that names the circle


def test_the_search_for_imports_sees_those_in_functions_and_for_type_checking(tmp_path):
    path = tmp_path / "file.py"
    path.write_text(
        "if TYPE_CHECKING:\n    from mec_cf_gym.world import World\n"
        "def f():\n    from mec_cf_gym import world\n    import mec_cf_gym.envs.vector\n"
    )
    assert imports(path) == {"mec_cf_gym.world", "mec_cf_gym.envs.vector"}


def test_files_are_small():
    for top in ("mec_cf_gym", "baselines", "agents", "tests", "examples", "benchmarks"):
        for path in (ROOT / top).rglob("*.py"):
            assert len(path.read_text().splitlines()) < MOST_LINES, path
    lines = [len(path.read_text().splitlines()) for path in MODULES.values()]
    assert statistics.median(lines) <= 100


def test_no_file_has_a_name_that_says_nothing():
    names = {path.stem for path in MODULES.values()}
    assert not names & {"utils", "util", "helpers", "helper", "misc", "common"}
