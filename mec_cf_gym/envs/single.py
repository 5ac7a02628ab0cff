"""The single environment: one row of the vector environment, without the batch axis."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike, NDArray

from mec_cf_gym.allocation import Allocation
from mec_cf_gym.batches import take_rows
from mec_cf_gym.block.block import CoherenceBlock
from mec_cf_gym.envs.action import ActionCodec
from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.observation import Observation
from mec_cf_gym.envs.options import checked_options, checked_seed
from mec_cf_gym.envs.vector import UNKNOWN_SEED, Floats, Frame, MECVectorEnv
from mec_cf_gym.network.network import Network
from mec_cf_gym.network.servers import Servers, Shares
from mec_cf_gym.scenario import Scenario


class MECEnv(gym.Env[Observation, NDArray[np.float32]]):
    """One network, evolving from block to block; see the environments' own pages for the contract.

    To register an environment of your own, subclass both this and the vector environment, or use both as
    entry points with your scenario as a keyword.

    Args:
        scenario: The scenario; the defaults of the environment's id if not given.
        render_mode: None or ``"rgb_array"``.
        **fields: Any leaf fields of :class:`~mec_cf_gym.Scenario`, replaced in it.

    Raises:
        ValueError: For a field that is unknown or not allowed, a bad seed, option or action. The environment
            stays as it was before the call.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}  # type: ignore[misc]
    vector_class: ClassVar[type[MECVectorEnv]] = MECVectorEnv
    """The vector environment of which this is one row."""

    def __init__(self, scenario: Scenario | None = None, render_mode: str | None = None, **fields: Any) -> None:
        self._rows = self.vector_class(num_envs=1, scenario=scenario, render_mode=render_mode, **fields)
        self._np_random_seed = UNKNOWN_SEED
        self._over = False
        self.render_mode = render_mode
        self.observation_space = self._rows.single_observation_space
        self.action_space = self._rows.single_action_space

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self._rows.scenario

    @property
    def contract(self) -> Contract:
        """What the environment shows and takes, in its present scenario."""
        return self._rows.contract

    @property
    def codec(self) -> ActionCodec:
        """Translates between actions and allocations, given the servers of a block."""
        return self._rows.codec

    @property
    def network(self) -> Network:
        """The current network."""
        return take_rows(self._rows.network, 0)

    @property
    def block(self) -> CoherenceBlock:
        """The current coherence block: what the next action is judged by."""
        return take_rows(self._rows.block, 0)

    @property
    def _np_random(self) -> np.random.Generator:
        """The row's generator, so that ``np_random`` is the only source of randomness."""
        return self._rows.np_random[0]

    @_np_random.setter
    def _np_random(self, generator: np.random.Generator) -> None:
        self._rows.np_random = (generator,)

    def encode(self, power: ArrayLike, offload: ArrayLike, computing: Shares | None = None) -> NDArray[np.float32]:
        """Return the action for power ratios ``(N, K)``, offload ratios ``(K,)`` and computing.

        Args:
            power: Power ratios.
            offload: Offload ratios; in dynamic worlds shares of the users' CPUs.
            computing: Where servers are shared, speeds for ``(L, K)`` and ``(K,)``; None: equal ones.

        Raises:
            ValueError: If either has the wrong shape, or entries that are not finite or outside [0, 1].
        """
        allocation = Allocation(power, offload, computing=computing, cpu_share=offload)  # type: ignore[arg-type]
        return self.codec.encode(allocation, self._servers())

    def decode(self, action: ArrayLike) -> tuple[Floats, Floats]:
        """Return the power ratios ``(N, K)``, within the budgets, and offload ratios of an action, ``(K,)``.

        In dynamic worlds, shares of the users' CPUs stand in the place of offload ratios.

        Raises:
            ValueError: If the action has the wrong shape, or entries that are not finite or outside [0, 1].
        """
        return self._rows.decode(action)

    def allocation(self, action: ArrayLike) -> Allocation:
        """Return all that an action stands for in the current block: what :meth:`decode` does, and computing.

        Raises:
            ValueError: If the action has the wrong shape, or entries that are not finite or outside [0, 1].
        """
        return self.codec.decode(action, self._servers(), batch_shape=())

    def _servers(self) -> Servers | None:
        return take_rows(self._rows.servers, 0)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw a new network.

        Args:
            seed: A whole number of at least 0; None goes on with the generator.
            options: ``{"scenario": scenario}`` continues on networks of another scenario of the same shapes.

        Returns:
            The observation of the first block, and an empty info.

        Raises:
            ValueError: For a bad seed or option.
        """
        checked_options(options, ("scenario",))
        number = checked_seed(seed)
        observations, info = self._rows.reset(seed=number, options=options)
        self._np_random_seed = self._np_random_seed if number is None else number
        self._over = False
        return _first_row(observations), info

    def step(self, action: ArrayLike) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Apply an allocation to the current block, and move on to the next.

        Args:
            action: As in the action space, in [0, 1].

        Returns:
            Observation of the next block, reward, terminated (always False), truncated, info.

        Raises:
            ValueError: For an action of the wrong shape, not finite, or outside [0, 1].
            ResetNeeded: Before the first reset, and after the episode's last block.
        """
        if self._over:
            raise ResetNeeded("the episode is over: call reset()")
        values = self.codec.checked(action, batch_shape=())[None]
        allocation = self.codec.allocation(values, self._rows.servers)
        observations, rewards, _, truncations, infos = self._rows.acted(allocation)
        self._over = bool(truncations[0])
        info = {name: values[0] for name, values in infos.items()}
        return _first_row(observations), float(rewards[0]), False, self._over, info

    def render(self) -> Frame | None:
        """Return a picture: a map of the network, users coloured by their latency in the last block."""
        frames = self._rows.render()
        return None if frames is None else frames[0]


def _first_row(observations: Observation) -> Observation:
    return {name: values[0] for name, values in observations.items()}
