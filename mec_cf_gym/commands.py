"""Commands by name, imported only when they are asked for: of the command line, and of its subcommands."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping

Commands = Mapping[str, tuple[str, str]]
"""Name: (``module:function`` from arguments to exit status, help)."""


def parser_for(prog: str, description: str, kind: str, commands: Commands) -> argparse.ArgumentParser:
    """Return a parser of ``prog KIND options``, which leaves the options to the command that is ``chosen``."""
    listing = "\n".join(f"  {name:12} {text}" for name, (_, text) in commands.items())
    metavar = kind.upper()
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=f"{kind}s:\n{listing}\n\n{prog} {metavar} --help says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("chosen", choices=commands, metavar=metavar, help=f"one of the {kind}s below")
    parser.add_argument("options", nargs=argparse.REMAINDER, help=f"options of the {kind}")
    return parser


def run(commands: Commands, parsed: argparse.Namespace) -> int:
    """Import and run the command that was chosen; return its exit status."""
    module, _, function = commands[parsed.chosen][0].partition(":")
    return int(getattr(importlib.import_module(module), function)(parsed.options))
