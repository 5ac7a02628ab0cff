"""The league table in the documents: writes the results of a suite's run into the README and the manual.

Run: make league, or python benchmarks/league.py runs/league
"""

import shutil
import sys
from pathlib import Path

from mec_cf_gym.errors import refuse
from mec_cf_gym.evaluation.league import summary, whole
from mec_cf_gym.evaluation.runs import write_atomically
from mec_cf_gym.evaluation.store import RunStore

SUMMARY, FIGURE, WHOLE = "league summary", "league figure", "league tasks"
"""Names of the markers: what is between ``<!-- NAME -->`` and ``<!-- end of NAME -->`` is written anew."""
PAGES = {"README.md": (SUMMARY,), "docs/league.md": (SUMMARY, FIGURE, WHOLE)}
IMAGE = "images/league.png"


def write_documents(run: Path, root: Path) -> None:
    """Write the results of a suite's run into the README and the manual of a checkout.

    Raises:
        ValueError: If the run is no finished one of a suite, or a page lacks its markers; then nothing is written.
    """
    store = RunStore(run)
    content = store.content() if store.settings_path.exists() else {}
    if "summary" not in content or "suite" not in content["settings"]:
        raise refuse("run", str(run), "it must hold a finished run of mec-cf-gym benchmark --suite")
    figure = f"![Distribution of the largest latency of a block in each task of the summary]({IMAGE})"
    parts = {SUMMARY: summary(content), FIGURE: figure, WHOLE: whole(content)}
    pages = {root / name: (root / name).read_text() for name in PAGES}
    for path, names in zip(pages, PAGES.values(), strict=True):
        for name in names:
            pages[path] = between(pages[path], name, parts[name], path)
    for path, text in pages.items():
        write_atomically(path, text)
    shutil.copyfile(run / "cdf.png", root / "docs" / IMAGE)


def between(text: str, name: str, part: str, path: Path) -> str:
    """Return a text with ``part`` between the markers of that name.

    Raises:
        ValueError: If the text of the file at ``path`` does not have each marker once, in their order.
    """
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if not (text.count(first) == text.count(last) == 1 and text.index(first) < text.index(last)):
        raise refuse("path", str(path), f"it must have the lines {first} and {last}, once each")
    return text[: text.index(first) + len(first)] + "\n" + part + "\n" + text[text.index(last) :]


if __name__ == "__main__":
    write_documents(Path(sys.argv[1]), Path(__file__).parents[1])
