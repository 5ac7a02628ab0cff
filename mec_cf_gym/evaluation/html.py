"""The report as one self-contained HTML page: a table to sort and filter, and interactive CDFs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib import resources
from typing import Any

from plotly.offline import get_plotlyjs

from mec_cf_gym.evaluation.episode import Record

PARTS = resources.files("mec_cf_gym.evaluation") / "page"
DIGITS = 5
"""Significant digits of the latencies behind the CDFs."""


def page(content: dict[str, Any], records: Iterable[Record]) -> str:
    """Return the report of a finished run as HTML, with plotly.js inside.

    Args:
        content: What ``benchmark.json`` holds.
        records: Of all tasks and policies.
    """
    latencies_ms: dict[str, dict[str, list[float]]] = {}
    for record in records:
        latencies_ms.setdefault(record.task, {}).setdefault(record.policy, []).append(record.max_latency_ms)
    data = {
        **{name: value for name, value in content.items() if name != "settings"},
        "suite": content["settings"].get("suite"),
        "version": content["settings"]["version"],
        "latencies_ms": {
            task: {
                policy: [float(f"{value:.{DIGITS}g}") for value in sorted(values)] for policy, values in of.items()
            }
            for task, of in latencies_ms.items()
        },
    }
    parts = {
        "style": _part("page.css"),
        "plotly": get_plotlyjs(),
        "data": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        "script": _part("page.js"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda placeholder: parts[placeholder[1]], _part("page.html"))


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")
