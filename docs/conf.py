"""Sphinx configuration. The page of each environment is its docstring."""

import inspect
from pathlib import Path

import gymnasium as gym

import mec_cf_gym
from mec_cf_gym.registration import env_ids

project = "mec-cf-gym"
author = "The mec-cf-gym developers"
copyright = "2026, " + author
release = mec_cf_gym.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"mec-cf-gym {release}"
exclude_patterns = ["_build"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_google_docstring = True

# written anew at every build
pages = Path(__file__).parent / "environments"
pages.mkdir(exist_ok=True)
for env_id in env_ids():
    docstring = inspect.getdoc(gym.envs.registration.load_env_creator(gym.spec(env_id).entry_point))
    (pages / f"{env_id}.md").write_text(f"# {env_id}\n\n{docstring}\n")
