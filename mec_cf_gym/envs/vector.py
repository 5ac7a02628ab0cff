"""The native vector environment: every row is a network, and all rows step in one pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.batches import put_rows, read_only, take_rows
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.dynamic_world import world_of
from mec_cf_gym.envs.action import ActionCodec
from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.observation import Observation
from mec_cf_gym.envs.options import checked_mask, checked_options, checked_seeds
from mec_cf_gym.envs.reward import REWARDS
from mec_cf_gym.envs.scenario_rules import check_same_shapes, usual_scenario, with_fixed_fields
from mec_cf_gym.errors import checked_count, refuse
from mec_cf_gym.network.network import Network
from mec_cf_gym.network.servers import Servers, Shares
from mec_cf_gym.random_streams import Streams
from mec_cf_gym.scenario import Scenario
from mec_cf_gym.world import AnyOutcome, State

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Frame = NDArray[np.uint8]
UNKNOWN_SEED = -1
MOST_ROWS = 10**6
Step = tuple[Observation, Floats, Flags, Flags, dict[str, Any]]


class MECVectorEnv(gym.vector.VectorEnv[Observation, NDArray[np.float32], NDArray[Any]]):
    """Many networks side by side, each a row, in one batch of arrays.

    Seeding follows ``SyncVectorEnv``: ``reset(seed=s)`` seeds row ``i`` with ``s + i`` and a list seeds row by
    row, so each row equals the single environment with that seed, bit for bit. ``reset`` also takes
    ``options={"reset_mask": mask}`` to reset some rows, and ``options={"scenario": scenario}`` to continue on
    networks of another scenario of the same shapes.

    Rows autoreset on the step after their last (``AutoresetMode.NEXT_STEP``): that step ignores their action,
    which must be valid all the same, and returns the new episode's first observation with reward zero.

    Args:
        num_envs: Number of rows.
        scenario: The scenario; the defaults of the environment's id if not given.
        render_mode: None or ``"rgb_array"``.
        **fields: Any leaf fields of :class:`~mec_cf_gym.Scenario`, replaced in it.

    Raises:
        ValueError: For a field that is unknown or not allowed, a bad seed, option, mask or action. The
            environment stays as it was before the call.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": ["rgb_array"],
        "render_fps": 10,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }
    fixed_fields: ClassVar[Mapping[str, Any]] = {}
    """Scenario fields that the environment's id fixes."""
    usual_scenario: ClassVar[Callable[..., Scenario] | None] = None
    """Returns the scenario if none is given; None: the usual one of the family of networks."""

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Scenario | None = None,
        render_mode: str | None = None,
        **fields: Any,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise refuse("render_mode", render_mode, f"it must be None or one of {self.metadata['render_modes']}")
        self.num_envs = num_envs = checked_count("num_envs", num_envs, 1, MOST_ROWS)
        self.render_mode = render_mode
        self._adopt(self._resolve(scenario, fields))
        self.single_observation_space = self.contract.observation_space
        self.single_action_space = self.contract.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._streams = Streams(np.random.default_rng() for _ in range(num_envs))
        self._seeds = (UNKNOWN_SEED,) * num_envs
        self._state: State | None = None
        self._outcome: AnyOutcome | None = None
        self._stepped = np.zeros(num_envs, np.bool_)
        self._elapsed = np.zeros(num_envs, np.int64)
        self._ended = np.zeros(num_envs, np.bool_)

    def __setstate__(self, content: dict[str, Any]) -> None:
        """Mark the arrays of a copy as read-only, too: copying and pickling forget it."""
        self.__dict__.update(content)
        if self._state is not None:
            read_only((self._state.network, self._state.block, *self._state.past))

    @property
    def scenario(self) -> Scenario:
        """The scenario of all rows."""
        return self._scenario

    @property
    def codec(self) -> ActionCodec:
        """Translates between actions and allocations, given the servers of a block."""
        return self.contract.codec

    @property
    def network(self) -> Network:
        """The current networks, one a row."""
        return self._current().network

    @property
    def block(self) -> CoherenceBlock:
        """The current coherence blocks, one a row: what the next action is judged by."""
        return self._current().block

    @property  # type: ignore[override]  # a tuple, as in SyncVectorEnv
    def np_random(self) -> tuple[np.random.Generator, ...]:
        """The rows' generators, the only source of randomness."""
        return self._streams.generators

    @np_random.setter
    def np_random(self, generators: tuple[np.random.Generator, ...]) -> None:
        if len(generators) != self.num_envs:
            raise ValueError(f"np_random has {len(generators)} generators; there must be one for each row")
        self._streams = Streams(generators)
        self._seeds = (UNKNOWN_SEED,) * self.num_envs

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]  # as np_random
        """The seeds the rows' generators were given; -1 where unknown, as in Gymnasium."""
        return self._seeds

    @property
    def servers(self) -> Servers | None:
        """The current servers, one set a row, if they are shared and actions divide them."""
        return self.block.servers if self.codec.chooses_shares else None

    def encode(self, power: ArrayLike, offload: ArrayLike, computing: Shares | None = None) -> NDArray[np.float32]:
        """Return the actions for power ratios ``(rows, N, K)``, offload ratios ``(rows, K)`` and computing.

        Args:
            power: Power ratios.
            offload: Offload ratios; in dynamic worlds shares of the users' CPUs.
            computing: Where servers are shared, speeds for ``(rows, L, K)`` and ``(rows, K)``; None: equal ones.
        """
        allocation = Allocation(power, offload, computing=computing, cpu_share=offload)  # type: ignore[arg-type]
        return self.codec.encode(allocation, self.servers)

    def decode(self, action: ArrayLike, batch_shape: tuple[int, ...] | None = None) -> tuple[Floats, Floats]:
        """Return the power ratios ``(..., N, K)`` and offload ratios (or shares of CPUs) ``(..., K)`` of actions.

        Args:
            action: Its last axis as in the action space, in [0, 1].
            batch_shape: What the leading axes must be; anything if not given.

        Raises:
            ValueError: For actions of the wrong shape, not finite, or outside [0, 1].
        """
        allocation = self.codec.decode(action, batch_shape=batch_shape)
        return allocation.power, allocation.offload if allocation.cpu_share is None else allocation.cpu_share

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw new networks, in all rows or in those of ``options["reset_mask"]``.

        Args:
            seed: None goes on with the rows' generators; a whole number ``s`` seeds row ``i`` with ``s + i``;
                a list holds one seed (or None) per row. Rows that are not reset keep their generators.
            options: ``reset_mask``, booleans of shape ``(num_envs,)``, and ``scenario``.

        Returns:
            The observations of all rows, and an empty info.

        Raises:
            ValueError: For a bad seed or option.
        """
        wanted = checked_options(options, ("reset_mask", "scenario"))
        mask = checked_mask(wanted.get("reset_mask"), self.num_envs)
        seeds = checked_seeds(seed, self.num_envs)
        if self._state is None and not mask.all():
            raise ResetNeeded("the first reset() must draw all rows: leave out reset_mask")
        if "scenario" in wanted:
            self._adopt(self._swapped(wanted["scenario"], mask))
        self._reseed(seeds, mask)
        self._state = self._restart(self._state, mask)
        self._stepped = self._stepped & ~mask
        self._elapsed = np.where(mask, 0, self._elapsed)
        self._ended = self._ended & ~mask
        return self._observed(), {}

    def step(self, actions: ArrayLike) -> Step:
        """Give every row its allocation for the current block, and move on to the next block.

        Args:
            actions: ``(num_envs, ...)``, in [0, 1].

        Returns:
            Observations, rewards, terminations (always False), truncations, and info: arrays with one entry a
            row, each with a ``_``-prefixed mask of the rows it holds for.

        Raises:
            ValueError: For actions of the wrong shape, not finite, or outside [0, 1].
            ResetNeeded: Before the first reset.
        """
        self._current()
        return self.apply(self.codec.decode(actions, self.servers, batch_shape=(self.num_envs,)))

    def apply(self, allocation: Allocation) -> Step:
        """Do what :meth:`step` does, with the allocation that its actions stand for. Info is read-only."""
        observation, rewards, terminations, truncations, info = self.acted(allocation)
        stepped = self._stepped
        return observation, rewards, terminations, truncations, info | {f"_{name}": stepped for name in info}

    def acted(self, allocation: Allocation) -> Step:
        """Do what :meth:`apply` does, without the masks in info."""
        state = self._current()
        outcome = self._world.outcome(state, allocation)
        stepped = ~self._ended
        self._state = self._next(state, outcome, stepped)
        self._outcome, self._stepped = outcome, stepped
        self._elapsed = (self._elapsed + 1) * stepped
        self._ended = self._elapsed >= self._scenario.episode.episode_blocks
        rewards = np.where(stepped, self._reward.reward(outcome), 0.0)
        info = outcome.info()
        if state.network.association is not None:
            info["handovers"] = state.network.association.handed_over.astype(np.int64)
        read_only((*info.values(), stepped))
        return self._observed(), rewards, np.zeros(self.num_envs, np.bool_), self._ended.copy(), info

    def render(self) -> tuple[Frame, ...] | None:
        """Return a picture of every row: a map of its network, users coloured by their latency."""
        if self.render_mode is None:
            return None
        from mec_cf_gym.envs.rendering import draw_network  # matplotlib is an extra

        return tuple(
            draw_network(
                self._scenario,
                take_rows(self.network, row),
                take_rows(self._outcome, row) if self._stepped[row] else None,
            )
            for row in range(self.num_envs)
        )

    def _current(self) -> State:
        if self._state is None:
            raise ResetNeeded("call reset() first: there is no network yet")
        return self._state

    def _observed(self) -> Observation:
        """Return the observations of all rows."""
        return self.contract.observation.observe(self._current().observed)

    def _next(self, state: State, outcome: AnyOutcome, stepped: Flags) -> State:
        """Return ``state`` one block later where ``stepped``, and on new networks elsewhere."""
        if stepped.all():
            return self._world.advance(state, self._streams, outcome)
        if stepped.any():
            rows, done = take_rows(state, stepped), take_rows(outcome, stepped)
            moved = self._world.advance(rows, self._streams.select(stepped), done)
            state = put_rows(state, stepped, moved)
        return self._restart(state, ~stepped)

    def _restart(self, state: State | None, mask: Flags) -> State:
        """Return ``state`` with new networks in the rows under ``mask``."""
        if state is None or mask.all():
            return self._world.begin(self._streams)
        return put_rows(state, mask, self._world.begin(self._streams.select(mask)))

    def _resolve(self, scenario: Scenario | None, fields: Mapping[str, Any]) -> Scenario:
        """Return the scenario with ``fields`` replaced and the id's own fields enforced."""
        if scenario is None:
            usual = self.usual_scenario
            scenario = usual_scenario({**fields, **self.fixed_fields}) if usual is None else usual()
        return with_fixed_fields(scenario, fields, self.fixed_fields)

    def _reseed(self, seeds: list[int | None], mask: Flags) -> None:
        """Give the rows under ``mask`` new generators, where there is a seed."""
        generators, known = list(self._streams.generators), list(self._seeds)
        for row in np.flatnonzero(mask):
            if (seed := seeds[row]) is not None:
                generators[row], known[row] = seeding.np_random(seed)
        self._streams, self._seeds = Streams(generators), tuple(known)

    def _swapped(self, scenario: Scenario, mask: Flags) -> Scenario:
        """Return the scenario of ``options``, after checking that all rows can continue with it."""
        if scenario is None:
            raise refuse("options['scenario']", scenario, "it must be a Scenario")
        resolved = self._resolve(scenario, {})
        if not mask.all():
            raise refuse("reset_mask", mask.tolist(), "a new scenario needs a reset of all rows")
        check_same_shapes(self.contract, resolved)
        return resolved

    def _adopt(self, scenario: Scenario) -> None:
        """Build the parts that ``scenario`` chooses."""
        self._scenario = scenario
        self._world = world_of(scenario)
        self.contract = Contract(scenario)
        self._reward = REWARDS[scenario.episode.reward](scenario)
