"""`python -m docs.generate`: writes the pages of docs/reference that follow from the code. scripts/docs runs it.

Each module beside this one makes one page or file: `NAME` is the file, `made()` its text. With `--check` nothing is written and
the exit code is 1 when a page is stale.
"""

import argparse
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def pages() -> Iterator[tuple[Path, str]]:
    """Every generated file with the text it should hold."""
    for found in iter_modules([str(Path(__file__).parent)]):
        module = import_module(f"docs.generate.{found.name}")
        if hasattr(module, "NAME"):
            yield REFERENCE / module.NAME, module.made()


def stale() -> list[Path]:
    return [path for path, text in pages() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/docs", description="Writes docs/reference from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    if parser.parse_args(argv).check:
        found = stale()
        for path in found:
            sys.stderr.write(f"{path.relative_to(ROOT)} is stale: run scripts/docs\n")
        return 1 if found else 0
    for path, text in pages():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
