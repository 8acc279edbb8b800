"""`lofte`: finds the commands in this folder and runs the one asked for.

Exit codes everywhere: 0 done, 1 a problem was found or the work could not be done, 2 the command was not understood.
"""

import argparse
import importlib
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType

import lofte
from lofte.kernel.problems import Problem


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code. Whatever goes wrong becomes one line, never a traceback."""
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
    except Exception as error:
        print(f"lofte: {_unforeseen(error)}", file=sys.stderr)
        return 1
    return code


def _unforeseen(error: Exception) -> Problem:
    """What nobody foresaw, without its message, which may quote a person; an operating system's own words name no one."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    reason = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
    return Problem(
        "cli.unforeseen",
        f"something went wrong ({type(error).__name__}{reason})",
        way_out=f"If lofte doctor finds nothing, report this line: {place.filename.rsplit('/', 1)[-1]}:{place.lineno}",
    )


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
