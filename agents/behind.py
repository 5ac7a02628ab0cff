"""What a model was trained behind, and whether an environment's wrappers do the same."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces, wrappers

from mec_cf_gym.agents.stack import Stack
from mec_cf_gym.agents.translation import Functions, Translation
from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.observation import NOTHING
from mec_cf_gym.errors import refuse

Layers = list[tuple[str, Translation]]
"""Translations, the innermost first, by the names of their wrappers."""
HARMLESS = (
    gym.RewardWrapper,
    wrappers.Autoreset,
    wrappers.HumanRendering,
    wrappers.NormalizeReward,
    wrappers.OrderEnforcing,
    wrappers.PassiveEnvChecker,
    wrappers.RecordEpisodeStatistics,
    wrappers.RecordVideo,
    wrappers.RenderCollection,
    wrappers.TimeLimit,
    gym.vector.VectorRewardWrapper,
    wrappers.vector.HumanRendering,
    wrappers.vector.NormalizeReward,
    wrappers.vector.RecordEpisodeStatistics,
    wrappers.vector.RecordVideo,
)
"""Wrappers that change neither observations nor actions."""
HARMLESS_OF_SB3 = ("Monitor", "VecMonitor", "VecCheckNan", "VecVideoRecorder")
REPEATABLE = {
    gym.ObservationWrapper: "observation",
    gym.ActionWrapper: "action",
    gym.vector.VectorObservationWrapper: "observations",
    gym.vector.VectorActionWrapper: "actions",
}
"""Kinds of wrappers that a function describes, and its name, as long as steps and resets are those of the kind."""
VECTORIZED = (wrappers.vector.VectorizeTransformAction, wrappers.vector.VectorizeTransformObservation)
"""Kinds of vector wrappers that hold the single one which they apply to every row."""
CLOSE = 1e-4
"""Single and vector forms of a wrapper may round differently."""


def stack_of(model: Any, env: gym.Env[Any, Any], contract: Contract, statistics: Any = None) -> Stack:
    """Return what lies between an environment and a model, after comparing it with the training of the model.

    Args:
        model: Of Stable-Baselines3, or anything with its ``predict``.
        env: The environment with its wrappers.
        contract: Of the environment.
        statistics: See :func:`statistics_of`.

    Raises:
        ValueError: If a wrapper cannot be repeated, the model was trained behind others, its spaces are others, or
            its statistics cannot be found.
    """
    given, own = _layers(env), _own_layers(model)
    below = (contract.observation_space, contract.action_space)
    stack = Stack(below, [layer for _, layer in given], contract)
    shown = {"observations": env.observation_space, "actions": env.action_space}
    for what, space in zip(shown, ("observation_space", "action_space"), strict=True):
        if not _alike(trained := getattr(model, space, None), shown[what]):
            raise refuse("env", env, f"the model was trained{_behind(own)} with {what} in {trained}")
    if own is not None and not _same(stack, Stack(below, [layer for _, layer in own], contract), env.action_space):
        raise refuse("env", env, f"the model was trained{_behind(own)}, and env is{_behind(given)}")
    return Stack(below, [*stack.layers, *statistics_of(model, statistics)], contract)


def statistics_of(model: Any, statistics: Any = None) -> list[Translation]:
    """Return the normalisation that Stable-Baselines3 puts between a model and its environment.

    Args:
        model: Of Stable-Baselines3, or anything with its ``predict``.
        statistics: The ``VecNormalize`` that it was trained behind; by default that of its environment.

    Raises:
        ValueError: If it was trained behind one that is gone, or behind a wrapper that cannot be repeated here.
    """
    found = list(_normalisers(model))
    if statistics is not None:
        if not callable(getattr(statistics, "normalize_obs", None)):
            raise refuse("statistics", statistics, "it must be the VecNormalize that the model was trained behind")
        found = [statistics]
    if not found and _was_normalised(model):
        allowed = "it was trained behind VecNormalize, whose statistics are gone: pass it as statistics"
        raise refuse("model", model, allowed)
    return [Functions(observe=normaliser.normalize_obs) for normaliser in found]


def _normalisers(model: Any) -> Iterator[Any]:
    """Yield the ``VecNormalize`` of a model's environment; there is one at most."""
    env = model.get_env() if hasattr(model, "get_env") else None
    while hasattr(env, "venv"):
        if hasattr(type(env), "normalize_obs"):  # wrappers hand on attributes of what they wrap
            yield env
        elif type(env).__name__ not in HARMLESS_OF_SB3:
            raise refuse(
                "model", model, f"it was trained behind {type(env).__name__}, which cannot be repeated here"
            )
        env = env.venv


def _was_normalised(model: Any) -> bool:
    """Return whether a model has the marks of ``VecNormalize``, which models are saved without.

    Algorithms keep the original of their last observation then. Off-policy ones keep it always; the last
    observation itself tells whether it was normalised, since nothing that is observed falls below ``NOTHING``.
    """
    if getattr(model, "_last_original_obs", None) is None:
        return False
    if not hasattr(model, "replay_buffer_class"):
        return True
    last = model._last_obs
    values = [] if last is None else last.values() if isinstance(last, dict) else [last]
    return any(np.min(array) < NOTHING - CLOSE for array in values)


def _layers(env: Any) -> Layers:
    """Return the translations of a chain of single or vector wrappers."""
    found: Layers = []
    while isinstance(env, (gym.Wrapper, gym.vector.VectorWrapper)):
        layer = _layer(env)
        if layer is not None:
            found.append((type(env).__name__, layer))
        env = env.env
    return found[::-1]


def _layer(wrapper: Any) -> Translation | None:
    """Return what a wrapper changes; None if that is nothing."""
    if isinstance(wrapper, VECTORIZED):
        wrapper = wrapper.wrapper
    translation = getattr(wrapper, "translation", None)
    if isinstance(translation, Translation):
        return translation
    kind = next(kind for kind in (*REPEATABLE, gym.Wrapper, gym.vector.VectorWrapper) if isinstance(wrapper, kind))
    usual = all(getattr(type(wrapper), name) is getattr(kind, name) for name in ("step", "reset"))
    if (
        isinstance(wrapper, HARMLESS)
        or type(wrapper).__name__ in HARMLESS_OF_SB3
        or (usual and kind not in REPEATABLE)
    ):
        return None
    if not usual or hasattr(wrapper, "obs_rms"):
        raise refuse("env", wrapper, "a wrapper of env changes it in a way that cannot be repeated here")
    function = getattr(wrapper, REPEATABLE[kind])
    if isinstance(wrapper, gym.vector.VectorWrapper):
        function = _of_one_row(function, wrapper.num_envs)
    is_action = REPEATABLE[kind].startswith("action")
    return Functions(act=function) if is_action else Functions(observe=function)


def _of_one_row(function: Callable[[Any], Any], rows: int) -> Callable[[Any], Any]:
    def single(value: Any) -> Any:
        return _each(lambda part: part[0], function(_each(lambda part: np.stack([part] * rows), value)))

    return single


def _each(function: Callable[[Any], Any], value: Any) -> Any:
    return {name: function(part) for name, part in value.items()} if isinstance(value, dict) else function(value)


def _own_layers(model: Any) -> Layers | None:
    """Return the translations that a model was trained behind; None if its environment is not known."""
    env = model.get_env() if hasattr(model, "get_env") else None
    env = getattr(env, "unwrapped", None)
    env = env.envs[0] if hasattr(env, "envs") else getattr(env, "env", None)
    return _layers(env) if hasattr(getattr(env, "unwrapped", None), "contract") else None


def _alike(trained: Any, shown: spaces.Space[Any]) -> bool:
    """Return whether two spaces are the same up to types of numbers; None fits all."""
    if isinstance(trained, spaces.Dict) and isinstance(shown, spaces.Dict):
        return trained.keys() == shown.keys() and all(
            _alike(space, shown[name]) for name, space in trained.items()
        )
    if isinstance(trained, spaces.Box) and isinstance(shown, spaces.Box):
        bounds = ((trained.low, shown.low), (trained.high, shown.high))
        return trained.shape == shown.shape and all(np.allclose(*pair) for pair in bounds)
    return trained is None or trained == shown


def _same(stack: Stack, other: Stack, action_space: spaces.Space[Any]) -> bool:
    """Return whether two stacks do the same to two observations in a row, and to an action that answers them."""
    rng, acted = np.random.default_rng(0), copy.deepcopy(action_space)
    acted.seed(0)
    action = acted.sample()
    first = {name: rng.uniform(-0.9, 0.9, box.shape).astype(np.float32) for name, box in stack.entries.items()}
    second = {name: 0.5 * array for name, array in first.items()}
    results = []
    for each in (stack, other):
        shown, memories = each.seen(first, (), False)
        shown, _ = each.seen(second, memories, False)
        seen = shown[-1] if isinstance(shown[-1], dict) else {"": shown[-1]}
        results.append({**seen, "action": each.plain(action, shown, stack.contract and stack.contract.link)})
    ours, theirs = results
    return ours.keys() == theirs.keys() and all(
        np.shape(ours[name]) == np.shape(theirs[name]) and np.allclose(ours[name], theirs[name], CLOSE, CLOSE)
        for name in ours
    )


def _behind(layers: Layers | None) -> str:
    if layers is None:
        return ""
    return f" behind {', '.join(name for name, _ in layers) or 'no wrapper'}"
