"""values.md: how the texts of a policy are written, and every value in double braces."""

import re
from datetime import date
from fnmatch import fnmatchcase

from docs.generate.markdown import ROOT, code, page, table

from lofte.features.policy.files import read_directory
from lofte.rules.source import read
from lofte.rules.values import BLOCK_VALUES, inline_values

NAME = "values.md"
EXAMPLE, MARKET, LOCALE, DAY = "policies/xledger", "GB", "en-GB", date(2026, 11, 22)

INLINE = {
    "organisation.name": "the organisation",
    "controller.name": "who is responsible in the market",
    "controller.email": "the controller's e-mail, as a link",
    "controller.phone": "the controller's telephone, as a link",
    "controller.post": "the controller's postal address on one line",
    "market.country": "the market's country",
    "offices": "every office with its country",
    "sites": "the address of every edition",
    "last_updated": "the month of the last update, in words",
    "clock.*": "a clock's period in words, by the clock's id",
    "rights.deadline": "how soon a request must be answered, from the law pack",
    "authority.*": "who supervises data protection: `name`, `post`, `web`, `phone`, `email`, as far as the law pack has it",
    "storage_authority.*": "who supervises cookies and other storage",
    "marketing_authority.*": "who supervises marketing",
    "recipient.*.name": "a recipient",
    "recipient.*.country": "its country",
    "recipient.*.privacy_url": "its privacy policy, when declared",
    "recipient.*.optout_url": "where to opt out, when declared",
    "system.*.name": "a system",
    "tag.*.name": "a tag",
    "cookie.*.name": "a cookie, as the browser shows it",
    "cookie.*.lifetime": "its lifetime in words",
}
BLOCKS = {
    "table.cookies": "every cookie with provider, use and lifetime",
    "table.recipients": "every recipient with role, country and why",
    "table.purposes": "every purpose with its basis and clock",
    "table.transfers": "every transfer outside the area with its tool",
    "balancing": "the balancing tests of legitimate interests",
    "controllers": "every controller with its contact",
}

_LEAD = """The words of a policy are in `text/<locale>/`, one folder a locale, the same file names and block keys in
each.

`words.yaml` holds the short texts: names of purposes, functions of cookies, titles of promises, the banner. The
`*.md` files hold the policy itself, read in the order of their names. A block starts with a line of its own and ends
at the next:

```markdown
@ retention P14 P15 markets=SE,NO
We keep your data for {{clock.inactivity}} after you last showed interest.
```

After `@` come the block's key, the promises it makes, and optionally the markets it is for. A block that is only a
heading needs no promise; every other needs at least one, or nothing keeps what it says. Numbers and periods are never
typed by hand: they would drift from what is declared. A value in double braces is taken from the declarations or the
law pack and written as the locale writes it."""


def made() -> str:
    example = example_values()
    unknown = [name for name in example if not pattern_of(name)]
    if unknown or set(BLOCKS) != set(BLOCK_VALUES):
        raise LookupError(f"describe in docs/generate/values.py: {unknown or set(BLOCK_VALUES) ^ set(BLOCKS)}")
    rows = [(code(_written(name)), meaning, _example(name, example)) for name, meaning in INLINE.items()]
    blocks = [(code(_written(name)), meaning) for name, meaning in BLOCKS.items()]
    return page(
        "Texts and their values",
        _LEAD,
        "## Values in a sentence",
        f"Examples are from `{EXAMPLE}`, market {MARKET}, in {LOCALE}. A value a market does not have is an "
        "error there: use another, or limit the block to markets that have it.",
        table(("value", "is", "for example"), rows),
        "## Values that stand alone on a line",
        table(("value", "is"), blocks),
    )


def example_values() -> dict[str, str]:
    source = read(read_directory(ROOT / EXAMPLE))
    assert source.policy is not None
    return {name: value.text for name, value in inline_values(source.policy, MARKET, LOCALE, DAY).items()}


def pattern_of(name: str) -> str:
    """The documented pattern a value falls under; empty when there is none."""
    return next((pattern for pattern in INLINE if fnmatchcase(name, pattern)), "")


def _written(pattern: str) -> str:
    return "{{" + re.sub(r"\*", "<id>" if pattern.split(".")[0] not in _PARTS else "<part>", pattern) + "}}"


_PARTS = ("authority", "storage_authority", "marketing_authority")


def _example(pattern: str, example: dict[str, str]) -> str:
    fitting = {name: text for name, text in example.items() if pattern_of(name) == pattern}
    return next((fitting[name] for name in _TELLING if name in fitting), next(iter(fitting.values()), "–"))


_TELLING = ("clock.inactivity", "recipient.google.name", "recipient.google.country")
