"""commands.md: every command as its own parser describes it."""

import argparse
import inspect
from collections.abc import Iterator

from docs.generate.markdown import block, code, page, table, told

from lofte.cli.main import commands

NAME = "commands.md"

_LEAD = """`lofte` has one command a chore. `lofte COMMAND --help` says the same as this page.

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | a problem was found, or the work could not be done; one line says what, and the way out |
| 2 | the command was not understood |
| 130 | ended with Ctrl-C |

Where a command uses these numbers in its own way, it says so below. `--home` names the data directory and may be left
out when `LOFTE_HOME` is set (see [settings](settings.md))."""


def made() -> str:
    return page("Commands", _LEAD, *(_command(name, parser) for name, parser in parsers().items()))


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of every command by its name."""
    found: dict[str, argparse.ArgumentParser] = {}
    for name, module in commands().items():
        choices = argparse.ArgumentParser(prog="lofte").add_subparsers()
        module.add_parser(choices)
        found[name] = choices.choices[name]
    return found


def _command(name: str, parser: argparse.ArgumentParser) -> str:
    rows = [(code(_shown(action)), _meaning(action)) for action in _actions(parser)]
    described = "\n\n".join(told(part) for part in inspect.cleandoc(parser.description or "").split("\n\n"))
    parts = [f"## lofte {name}", block(_usage(name, parser), "sh"), described, table(("argument", "meaning"), rows)]
    parts += [block(parser.epilog, "text")] if parser.epilog else []
    return "\n\n".join(part for part in parts if part)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """What can be given, but for --help, which every command has."""
    yield from (action for action in parser._actions if not isinstance(action, argparse._HelpAction))


def _usage(name: str, parser: argparse.ArgumentParser) -> str:
    """Options, then what stands without a dash. Written here: argparse words it differently from Python to Python."""
    options = [action for action in _actions(parser) if action.option_strings]
    plain = [action for action in _actions(parser) if not action.option_strings]
    words = [f"lofte {name}", *(_optional(action) for action in options), *(_positional(action) for action in plain)]
    return " ".join(words)


def _optional(action: argparse.Action) -> str:
    return _shown(action) if action.required else f"[{_shown(action)}]"


def _positional(action: argparse.Action) -> str:
    shown = f"{_shown(action)} ..." if action.nargs in ("*", "+") else _shown(action)
    return f"[{shown}]" if action.nargs in ("?", "*") else shown


def _shown(action: argparse.Action) -> str:
    if not action.option_strings:
        return _value(action)
    name = action.option_strings[-1]
    return name if action.nargs == 0 else f"{name} {_value(action)}"


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.dest.upper()


def _meaning(action: argparse.Action) -> str:
    return action.help or "–"
