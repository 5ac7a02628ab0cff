"""Families of networks: every module of this folder is one, and registers itself."""

import importlib
import pkgutil

from mec_cf_gym.deployments.deployment import DEPLOYMENTS, Deployment

__all__ = ["DEPLOYMENTS", "Deployment"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
