"""Wrappers that a model was trained behind, and whether an environment's wrappers do the same."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces, wrappers

from mec_cf_gym.agents.stack import ROUNDING, Stack
from mec_cf_gym.agents.translation import Translation
from mec_cf_gym.block.block import Link
from mec_cf_gym.envs.contract import Contract
from mec_cf_gym.envs.observation import NOTHING
from mec_cf_gym.errors import refuse

Layers = list[tuple[str, Translation]]
"""Translations, the innermost first, by the names of their wrappers."""
LIBRARIES = ("gymnasium.", "stable_baselines3.", "mec_cf_gym.")
"""Their wrappers do what their classes say."""
HARMLESS = {
    *("Autoreset", "HumanRendering", "NormalizeReward", "OrderEnforcing", "PassiveEnvChecker", "RecordVideo"),
    *("RecordEpisodeStatistics", "RenderCollection", "TimeLimit"),
    *("Monitor", "VecCheckNan", "VecMonitor", "VecVideoRecorder"),
}
"""Wrappers of Gymnasium and Stable-Baselines3 that change neither observations nor actions."""
PROMISED = ("observation_space", "action_space", "metadata", "np_random", "render_mode")
"""What wrappers may know of an environment at any time."""


class Unseen:
    """Stands in for an environment of training, which is not the one that is evaluated: only spaces are shown."""

    def __init__(self, env: Any, wrapper: str) -> None:
        self._env, self._wrapper = env, wrapper

    @property
    def unwrapped(self) -> Unseen:
        """The same of the environment itself."""
        return Unseen(self._env.unwrapped, self._wrapper)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in PROMISED:
            return getattr(self._env, name)
        allowed = f"{self._wrapper} looks at {name} of its environment, and would see that of training"
        raise refuse("env", self._env, allowed)


def _blind(wrapper: Any) -> Any:
    """Return a copy of a wrapper that cannot look at the environment."""
    blind = copy.copy(wrapper)
    blind.env = Unseen(wrapper.env, type(wrapper).__name__)
    return blind


def _acted(wrapper: Any, action: Any, observation: Any, link: Link | None) -> Any:
    return wrapper.action(action)


KINDS: dict[type, Callable[[Any], Translation | None]] = {
    gym.ObservationWrapper: lambda wrapper: Translation(_blind(wrapper).observation),
    gym.ActionWrapper: lambda wrapper: Translation(act=functools.partial(_acted, _blind(wrapper))),
    gym.RewardWrapper: lambda wrapper: None,
    gym.vector.VectorRewardWrapper: lambda wrapper: None,
    gym.Wrapper: lambda wrapper: None,
    gym.vector.VectorWrapper: lambda wrapper: None,
}
"""By base class, what a wrapper changes whose ``step`` and ``reset`` are those of its base class."""
VECTORIZED = (wrappers.vector.VectorizeTransformAction, wrappers.vector.VectorizeTransformObservation)
"""Vector wrappers that apply a single wrapper, which they hold, to every row."""
CLOSE = 1e-4
"""Tolerance of comparisons: single and vector forms of a wrapper may round differently."""


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
        if (trained := getattr(model, space, None)) not in (None, shown[what]):
            raise refuse("env", env, f"the model was trained{_behind(own)} with {what} in {trained}")
    trained_stack = Stack(below, [layer for _, layer in own or ()], contract)
    if own is not None and not _same(stack, trained_stack, env.action_space, contract.link):
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
    return [Translation(normaliser.normalize_obs) for normaliser in reversed(found)]


def _normalisers(model: Any) -> Iterator[Any]:
    """Yield every ``VecNormalize`` of a model's environment, the outermost first."""
    env: Any = model.get_env() if hasattr(model, "get_env") else None
    while hasattr(env, "venv"):
        normalises = hasattr(type(env), "normalize_obs")  # wrappers hand on attributes of what they wrap
        if not (_steps_as_in(env, ("step_wait", "reset")) if normalises else _is_harmless(env)):
            raise refuse(
                "model", model, f"it was trained behind {type(env).__name__}, which cannot be repeated here"
            )
        if normalises:
            yield env
        env = env.venv


def _was_normalised(model: Any) -> bool:
    """Return whether a model has the marks of ``VecNormalize``, which models are saved without.

    Algorithms keep the original of their last observation then. Off-policy ones keep it always: without
    ``VecNormalize`` it is the observation before the last, on the same scale. There, entries that are ``NOTHING``
    stay what they are, and none is below.
    """
    original, last = (getattr(model, f"_last_{which}", None) for which in ("original_obs", "obs"))
    if original is None or not hasattr(model, "replay_buffer_class"):
        return original is not None
    if last is None:  # loaded with an environment: nothing is left to compare
        return False
    kept, now = (seen if isinstance(seen, Mapping) else {"": seen} for seen in (original, last))
    nothing = {name: np.abs(kept[name] - NOTHING) < ROUNDING for name in now}
    lost = any(
        mask.any() and (np.abs(now[name][mask] - NOTHING) >= ROUNDING).all() for name, mask in nothing.items()
    )
    least, before = (min(np.min(array) for array in seen.values()) for seen in (now, kept))
    return lost or bool(least < NOTHING - CLOSE <= before)


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
    """Return the translation of a wrapper; None if it changes nothing."""
    known = _steps_as_in(wrapper, ("step", "reset"))
    translation = getattr(wrapper, "translation", None)
    if known and isinstance(translation, Translation):
        return translation
    wrapper = wrapper.wrapper if known and isinstance(wrapper, VECTORIZED) else wrapper
    kind = next(kind for kind in KINDS if isinstance(wrapper, kind))
    usual = all(getattr(type(wrapper), name) is getattr(kind, name) for name in ("step", "reset"))
    if not (_is_harmless(wrapper) or usual) or hasattr(wrapper, "obs_rms"):
        raise refuse("env", wrapper, "a wrapper of env changes it in a way that cannot be repeated here")
    return KINDS[kind](wrapper) if usual else None


def _steps_as_in(wrapper: Any, methods: tuple[str, ...]) -> bool:
    """Return whether methods of a wrapper are those of a library: somebody else's class may override them."""
    return all(getattr(type(wrapper), method).__module__.startswith(LIBRARIES) for method in methods)


def _is_harmless(wrapper: Any) -> bool:
    return type(wrapper).__name__ in HARMLESS and type(wrapper).__module__.startswith(LIBRARIES)


def _own_layers(model: Any) -> Layers | None:
    """Return the translations that a model was trained behind; None if its environment is not known."""
    env: Any = model.get_env() if hasattr(model, "get_env") else None
    env = getattr(env, "unwrapped", None)
    env = env.envs[0] if hasattr(env, "envs") else getattr(env, "env", None)
    return _layers(env) if hasattr(getattr(env, "unwrapped", None), "contract") else None


def _same(stack: Stack, other: Stack, action_space: spaces.Space[Any], link: Link) -> bool:
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
        results.append({**seen, "action": each.plain(action, shown, link)})
    ours, theirs = results
    return ours.keys() == theirs.keys() and all(
        np.shape(ours[name]) == np.shape(theirs[name]) and np.allclose(ours[name], theirs[name], CLOSE, CLOSE)
        for name in ours
    )


def _behind(layers: Layers | None) -> str:
    """Return the names of wrappers as the end of a sentence; nothing if they are not known."""
    return "" if layers is None else f" behind {', '.join(name for name, _ in layers) or 'no wrapper'}"
