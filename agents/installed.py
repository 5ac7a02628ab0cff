"""The trained agents that come with the package, as policies of every evaluation: named by entry points."""

from functools import partial

from mec_cf_gym.agents.agent import Agent

cellfree_k10 = partial(Agent.load, "cellfree-k10")
cellfree_k10_n4 = partial(Agent.load, "cellfree-k10-n4")
cellfree_k20 = partial(Agent.load, "cellfree-k20")
cellular = partial(Agent.load, "cellular")
usercentric = partial(Agent.load, "usercentric")
multicell = partial(Agent.load, "multicell")
delayed = partial(Agent.load, "delayed")
