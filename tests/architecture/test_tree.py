"""What may not be in the tree: machine paths, leftovers, registries."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Paths of one machine, and hosts of package registries; written so that this file does not match itself.
FORBIDDEN = re.compile("/(?:ro" + "ot|wo" + r"rk)/\w|pypi\.o" + r"rg|files\.pythonh" + r"osted|registry\.npmj" + "s")


def tracked():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name]


def test_nothing_tracked_names_a_machine_or_a_registry():
    found = []
    for path in tracked():
        if path.suffix in {".png", ".woff2", ".pdf", ".gz"} or not path.is_file():
            continue
        if match := FORBIDDEN.search(
            path.read_text(encoding="utf-8", errors="replace" if path.suffix == ".mo" else "strict")
        ):
            found.append(f"{path.relative_to(ROOT)}: {match.group()}")

    assert found == []


def test_every_python_folder_of_the_package_says_what_it_is_for():
    silent = []
    for init in (ROOT / "src/lofte").rglob("__init__.py"):
        if "migrations" in init.parts:
            continue
        if not init.read_text().startswith('"""'):
            silent.append(str(init.relative_to(ROOT)))

    assert silent == []
