"""Where results come from: command, versions and machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import sys
from pathlib import Path
from typing import Any

PACKAGES = (
    "mec-cf-gym",
    "gymnasium",
    "numpy",
    "scipy",
    "cvxpy",
    "clarabel",
    "numba",
    "torch",
    "stable-baselines3",
)


def provenance() -> dict[str, Any]:
    """Return the command that runs now, the versions of what results depend on, and the machine."""
    return {
        "command": shlex.join(["mec-cf-gym", *sys.argv[1:]]),
        "versions": {"python": platform.python_version(), **installed_versions()},
        "machine": {"platform": platform.platform(), "processor": processor(), "cores": os.cpu_count()},
    }


def installed_versions() -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def processor() -> str:
    """Return the processor's name, as far as the system tells."""
    cpu_info = Path("/proc/cpuinfo")
    lines = cpu_info.read_text().splitlines() if cpu_info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
