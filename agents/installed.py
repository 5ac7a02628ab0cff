"""The trained agents that come with the package, as policies of every evaluation: named by entry points."""

from functools import partial

from mec_cf_gym.agents.agent import Agent

cellfree_k10 = partial(Agent.load, "cellfree-k10")
cellfree_k10_n4 = partial(Agent.load, "cellfree-k10-n4")
cellfree_k20 = partial(Agent.load, "cellfree-k20")
cellfree_unequal = partial(Agent.load, "cellfree-unequal")
cellfree_unequal_n4 = partial(Agent.load, "cellfree-unequal-n4")
cellular_n1 = partial(Agent.load, "cellular-n1")
cellular = partial(Agent.load, "cellular")
cellular_unequal = partial(Agent.load, "cellular-unequal")
usercentric = partial(Agent.load, "usercentric")
multicell = partial(Agent.load, "multicell")
delayed = partial(Agent.load, "delayed")
