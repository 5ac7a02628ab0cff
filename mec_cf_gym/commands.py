"""Commands of the command line: found by name, imported only when they are asked for, and all run in one way."""

from __future__ import annotations

import argparse
import importlib
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Options = TypeVar("Options")


def load(path: str) -> Any:
    """Import what ``module:name`` names."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


@dataclass(frozen=True)
class Command:
    """A command: ``module:function`` from arguments to exit status, and what help says about it."""

    path: str
    help: str

    def run(self, prog: str, arguments: list[str]) -> int:
        """Import and run it; return its exit status."""
        return int(load(self.path)(arguments))


@dataclass(frozen=True)
class Group:
    """Commands of one kind, ``prog KIND options``, and what help says about all of them."""

    help: str
    kind: str
    commands: Mapping[str, Command | Group]

    def parser(self, prog: str) -> argparse.ArgumentParser:
        """Return a parser that leaves the options to the command that is ``chosen``."""
        listing = "\n".join(f"  {name:12} {command.help}" for name, command in self.commands.items())
        metavar = self.kind.upper()
        parser = argparse.ArgumentParser(
            prog=prog,
            description=f"{self.help[0].upper()}{self.help[1:]}.",
            epilog=f"{self.kind}s:\n{listing}\n\n{prog} {metavar} --help says more.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument(
            "chosen", choices=self.commands, metavar=metavar, help=f"one of the {self.kind}s below"
        )
        parser.add_argument("options", nargs=argparse.REMAINDER, help=f"options of the {self.kind}")
        return parser

    def run(self, prog: str, arguments: list[str]) -> int:
        """Run the command that the arguments name; return its exit status."""
        parsed = self.parser(prog).parse_args(arguments)
        return self.commands[parsed.chosen].run(f"{prog} {parsed.chosen}", parsed.options)


def run_command(
    prog: str,
    options: type[Options],
    run: Callable[[Options], str],
    arguments: Sequence[str],
    *,
    default: Options | None = None,
    folder: Callable[[Options], Path] = operator.attrgetter("out"),
    finished: str = "what is finished is",
) -> int:
    """Read the options of a command, run it, and print what comes of it.

    Args:
        prog: The command, as it is typed.
        options: A dataclass whose fields are the options.
        run: Does the work, and returns what is printed.
        arguments: Behind the command.
        default: What options start from; the dataclass's defaults if not given.
        folder: Returns where the results are.
        finished: What an interrupted run keeps there.

    Returns:
        The exit status: 0, or 130 if the command was interrupted.
    """
    import tyro

    start = tyro.MISSING_NONPROP if default is None else default
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    chosen: Options = tyro.cli(options, prog=prog, args=arguments, default=start, config=config)
    try:
        print(run(chosen))
    except KeyboardInterrupt:
        print(f"\ninterrupted; {finished} kept in {folder(chosen)}: go on with --resume", file=sys.stderr)
        return 130
    return 0


def given(arguments: Sequence[str], option: str) -> list[str]:
    """Return the values of an option on a command line, before its defaults are known.

    Args:
        arguments: Of the command: ``--option a b`` and ``--option=a`` give values; the last one counts.
        option: Its name, without dashes.
    """
    values: list[str] = []
    is_open = False
    for argument in arguments:
        if argument.startswith("-"):
            name, _, value = argument.partition("=")
            is_open = name == f"--{option}"
            values = [value] * bool(value) if is_open else values
        elif is_open:
            values.append(argument)
    return values


def split_names(names: Sequence[str]) -> list[str]:
    """Return names that were separated by spaces or commas, each once."""
    return list(dict.fromkeys(name for entry in names for name in entry.split(",") if name))
