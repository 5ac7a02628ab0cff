"""The package is light to import, complete, and its documents tell the truth."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def python(code, cwd):
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True)


def test_importing_it_loads_no_heavy_package(tmp_path):
    code = (
        "import sys, mec_cf_gym; print({'torch', 'cvxpy', 'matplotlib', 'stable_baselines3'} & set(sys.modules))"
    )
    assert python(code, tmp_path).stdout.strip() == "set()"


@pytest.mark.parametrize("folder", [".", "examples", "tests"])
def test_baselines_and_agents_are_found_from_any_folder(folder):
    result = python("import mec_cf_gym.baselines, mec_cf_gym.agents", ROOT / folder)
    assert result.returncode == 0, result.stderr


def test_the_physics_imports_neither_baselines_nor_agents():
    for path in (ROOT / "mec_cf_gym").rglob("*.py"):
        imports = re.findall(r"^\s*(?:from|import)\s+(\S+)", path.read_text(), re.MULTILINE)
        outside = [name for name in imports if re.match(r"mec_cf_gym\.(baselines|agents)|torch|cvxpy", name)]
        assert not outside, f"{path}: {outside}"


def test_every_folder_of_code_is_in_the_package_mapping():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    folders = {path.parent for top in ("mec_cf_gym", "baselines", "agents") for path in (ROOT / top).rglob("*.py")}
    names = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert listed == {name if name.startswith("mec_cf_gym") else f"mec_cf_gym.{name}" for name in names}


def test_torch_is_pinned_so_that_installs_reproduce():
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()


def snippets(document="README.md"):
    text = (ROOT / document).read_text()
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize(
    ("document", "index"),
    [(name, index) for name in ("README.md", "docs/extending.md") for index in range(len(snippets(name)))],
)
def test_snippets_run(document, index, tmp_path):
    result = python(snippets(document)[index], tmp_path)
    assert result.returncode == 0, result.stderr


def test_the_quick_start_fits_on_a_screen():
    assert len(snippets()[0].splitlines()) <= 15


EXAMPLES = {
    "custom_scenario": ("", "ms"),
    "ica_on_one_block": ("", "ms"),
    "train_ppo": ("--steps 2048", "ms"),
    "multi_agent_ppo": ("--steps 512 --networks 3", "ms"),
    "curriculum": ("--steps 64 --seeds 1 --networks 2", "the curriculum beats"),
}
"""Options that make them short, and what they print in the end."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_run(name, tmp_path):
    options, expected = EXAMPLES[name]
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), *options.split()]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert expected in result.stdout
