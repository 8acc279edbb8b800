"""`lofte`: finds the commands in this folder and runs the one asked for.

Exit codes everywhere: 0 done, 1 a problem was found or the work could not be done, 2 the command was not understood.
"""

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType

import lofte
from lofte.kernel.problems import Problem


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; a Problem becomes one line, never a traceback."""
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        code: int = args.run(args)
    except Problem as problem:
        print(f"lofte: {problem}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away (`| head`); nothing is wrong
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def commands() -> dict[str, ModuleType]:
    """Every command module by its name, in alphabetical order."""
    import lofte.cli as room

    names = sorted(module.name for module in pkgutil.iter_modules(room.__path__))
    modules = {name: importlib.import_module(f"lofte.cli.{name}") for name in names if name != "main"}
    return {name.replace("_", "-"): module for name, module in modules.items() if hasattr(module, "add_parser")}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lofte", description="Löfte: the privacy policy that runs.")
    parser.add_argument("--version", action="version", version=f"lofte {lofte.__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in commands().values():
        module.add_parser(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
