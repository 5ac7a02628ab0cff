"""Coherence blocks: small-scale fading, channel estimates, reception and tasks."""

from mec_cf_gym.block.aging import Aging
from mec_cf_gym.block.block import CoherenceBlock, Fairness, Link
from mec_cf_gym.block.clustered import CLUSTERED_COMBINERS, ClusteredCombiner
from mec_cf_gym.block.combining import COMBINERS, CombinerModel
from mec_cf_gym.block.fading import FADINGS, Clarke, Fading, FadingModel
from mec_cf_gym.block.model import BlockModel
from mec_cf_gym.block.tasks import TASK_MODELS, TaskModel, Tasks

__all__ = [
    "CLUSTERED_COMBINERS",
    "COMBINERS",
    "FADINGS",
    "TASK_MODELS",
    "Aging",
    "BlockModel",
    "Clarke",
    "ClusteredCombiner",
    "CoherenceBlock",
    "CombinerModel",
    "Fading",
    "FadingModel",
    "Fairness",
    "Link",
    "TaskModel",
    "Tasks",
]
