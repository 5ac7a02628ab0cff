"""Evaluation of policies on networks they have never seen, with common random numbers.

Examples:
    >>> from mec_cf_gym.baselines import ExactMinMax, FullPower
    >>> policies = {"full power": FullPower(), "exact": ExactMinMax()}
    >>> records = evaluate(policies, "MECCellFree-v0", topologies=2, blocks=1, num_subcarriers=1)
    >>> [row.policy for row in summarise(records, reference="exact")]
    ['full power', 'exact']
"""

from mec_cf_gym.evaluation.episode import Record, evaluate, run_episode
from mec_cf_gym.evaluation.policies import available_policies, load_policy
from mec_cf_gym.evaluation.report import plot_cdf, table
from mec_cf_gym.evaluation.seeds import SPLITS, seeds
from mec_cf_gym.evaluation.summary import Summary, summarise

__all__ = [
    "SPLITS",
    "Record",
    "Summary",
    "available_policies",
    "evaluate",
    "load_policy",
    "plot_cdf",
    "run_episode",
    "seeds",
    "summarise",
    "table",
]
