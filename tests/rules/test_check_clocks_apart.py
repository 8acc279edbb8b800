"""Relations that are said to have a clock apart have it: nobody else runs on it, and what is held for them does."""

from datetime import date
from pathlib import Path

import pytest

from lofte.rules.check import check

SMALL = Path(__file__).parent.parent / "policies" / "small"
READER = "    purposes: [contact, news]\n    clock: quiet\n"
KEPT = "P07: { controls: [{ control: portal_gives_access, with: { markets: [SE, NO, GB] } }] }"
APART = "P07: {{ controls: [{{ control: relations_have_clocks, with: {{ relations: [reader], apart: [{}] }} }}] }}"
FORM = "  news:\n    purpose: news\n"
SUPPLIERS = "  news:\n    kind: supplier\n    purpose: news\n"


def faults(apart: str = "reader", reader: str = READER, form: str = FORM) -> list[tuple[str, str]]:
    """What `check` has against clocks apart in the small policy."""
    files = {
        path.relative_to(SMALL).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(SMALL.rglob("*"))
        if path.suffix in (".yaml", ".md") and path.name != "README.md"
    }
    policy = files["policy.yaml"]
    for old, new in ((KEPT, APART.format(apart)), (READER, reader), (FORM, form)):
        assert old in policy
        policy = policy.replace(old, new, 1)
    found = check(files | {"policy.yaml": policy}, date(2026, 11, 23))
    return [(each.code, each.detail) for each in found if "apart" in each.place.key]


def test_a_relation_with_a_clock_nobody_shares_is_apart() -> None:
    assert faults() == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"reader": READER + "  guest:\n    purposes: [contact]\n    clock: quiet\n"}, "`quiet` is that of guest too"),
        ({"reader": READER.replace("[contact, news]", "[news]")}, "`quiet` is that of contact too"),
        ({"reader": READER.replace("quiet", "year")}, "nothing is held on its clock `year`"),
        ({"apart": "vendor"}, "no relations"),
        ({"reader": READER.replace("quiet", "year"), "form": SUPPLIERS}, "`news` runs"),
    ],
)  # fmt: skip
def test_a_clock_that_is_shared_or_idle_is_an_error(changed: dict[str, str], says: str) -> None:
    found = faults(**changed)

    assert {code for code, _ in found} == {"promise.contradiction"}
    assert any(says in detail for _, detail in found), found
