"""banner.md: the ids and hooks that automatic clients may rely on, read from the real pages."""

import re
from datetime import date

from docs.generate.markdown import ROOT, code, page, table

from lofte.features.policy.files import read_directory
from lofte.rules.compile import assemble
from lofte.rules.pages.banner import banner
from lofte.rules.pages.preferences import preferences
from lofte.rules.published import Published
from lofte.rules.source import read

NAME = "banner.md"
MARKET, LOCALE = "GB", "en-GB"

IDS = {
    "lofte-banner": "the banner; in every page, not shown once a choice is stored (`html[data-lofte-chosen]`)",
    "lofte-form": "preferences page: the form; posts to `/lofte/consent`, as the only form of the banner does",
    "lofte-title": "the heading",
    "lofte-choice-<purpose>": "the checkbox of one purpose; never ticked beforehand where consent is asked",
    "lofte-why-<purpose>": "preferences page: what the purpose is for; describes the checkbox to a screen reader",
    "lofte-reject": "refuses everything that is asked about",
    "lofte-accept": "accepts everything that is asked about",
    "lofte-save": "sends the checkboxes as they stand",
    "lofte-withdraw": "preferences page: withdraws everything with one press",
    "lofte-preferences": "the preferences page",
}
HOOKS = {
    "banner": "the banner",
    "form": "preferences page: as `#lofte-form`",
    "purposes": "the group of checkboxes",
    "reject": "as `#lofte-reject`",
    "accept": "as `#lofte-accept`",
    "save": "as `#lofte-save`",
    "withdraw": "as `#lofte-withdraw`",
    "gpc": "the note shown when the browser sends Global Privacy Control: what that has answered already",
    "preferences": "link to the preferences page; on that page, its main part",
    "cookies": "link to the cookie list",
    "done": "the confirmation, shown without leaving the page",
    "history": "preferences page: the decisions of this browser with their receipts",
}
_BY_THE_EDGE = "history"  # not in the frozen page
_SIGNAL = """## Global Privacy Control

A purpose that the signal answers by itself (what a tag shares with somebody who is no processor, advertising, and whatever
runs until somebody objects) has `data-lofte-answered` on its label. A browser that sends the signal is not asked about it:
the label is not shown, and `decision=accept` says yes to the other purposes only. Where the signal answers all of them the
banner itself has `data-lofte-answered` and is not shown; the settings stay open, and beside a link to them that the gate put
into the page stands what the signal counts for. An explicit yes on the settings page wins over the signal, and is recorded as
`after_gpc`. A script that reads the signal in the page adds `gpc=1` to what it sends (`"gpc": true` in JSON)."""
_OTHERS = """## On every page behind the gate

| hook | is |
| --- | --- |
| `html[data-lofte-chosen]` | a choice for this publication is stored; set before the first paint |
| `html[data-lofte-gpc]` | the browser sends Global Privacy Control |
| `#lofte-settings` | the permanent link back to the choices |
| `#lofte-dialog` | the settings page opened over this one: any plain press on a link to it, in a window at least 480 px high |
| `.lofte-held` | stands where a frame or an embedded thing was held, and says what would load it |
| `[data-lofte="once"]`, `[data-lofte="always"]` | in it, with scripts: loads this frame alone; consents to its `data-purposes` |
| `[data-lofte="settings"]` | in it, without scripts: link to the preferences page |
| `[data-lofte-held]`, `data-lofte-src` | a script, image or link that was held, and the address it had |
| `.lofte-verdict[data-promise][data-status]` | policy page: a promise's verdict; `kept`, `broken` or `unproved` |"""

_LEAD = """The banner is HTML in the page itself: a form that works before and without any script. Programs that test a
site (scanners, accessibility checkers, a company's own tests) may rely on what is listed here; a change gets a
changelog entry under *Changed*.

Refusing takes one press, in the same view and with the same weight as accepting. There is no cookie before a choice;
after it there are two for 180 days: `lofte`, signed, and `lofte_on`, which scripts can read. The banner is the same
bytes for everybody, so a page that holds it can be cached."""

_CLIENT = """## Deciding without a browser

```sh
curl -s 'http://localhost:8000/lofte/banner?market=gb&locale=en-GB&back=/uk/'
```

gives the form. Send its hidden fields back as they are, with `decision=reject` (or `accept`, `save` with
`choice.<purpose>=on`, or `withdraw`): see [`POST /lofte/consent`](edge.md#post-lofteconsent)."""


_AUTOMATIC = """## Clients that answer for people

| client | rule | what it does |
| --- | --- | --- |
| DuckDuckGo autoconsent | `integrations/autoconsent/lofte.json` | presses reject or accept |
| Consent-O-Matic | `integrations/consent-o-matic/lofte.json` | ticks `statistics` (B) and `marketing` (F), then saves |

In English autoconsent finds reject without our rule, by its words. Both rules rely on the hooks above and on nothing else. A policy
that names its browser purposes otherwise needs those names in the second rule. What they choose is recorded, receipted and obeyed
like a choice by hand; the tests drive it in all five languages."""


_THEME = """## Theme

Colours by role, under `banner.theme` in policy.yaml; whatever is left out is as it was. Banner and settings page both follow it.

```yaml
banner:
  theme:
    radius: 8
    light:
      text: "#1d2321"
      surface: "#ffffff"
      line: "#8a918e"
      button: { surface: "#1f3d36", text: "#ffffff" }
      focus: "#1f6fd0"
```

`dark` holds the same. [`lofte check`](check.md) refuses words with a contrast below 4.5, buttons and focus rings below 3
(`banner.contrast`), and colours that make one answer look easier than the other (`banner.unequal-buttons`)."""


def made() -> str:
    ids, hooks = found()
    hooks.add(_BY_THE_EDGE)
    _demand(ids, IDS, "ids")
    _demand(hooks, HOOKS, "hooks")
    return page(
        "Banner: ids and hooks",
        _LEAD,
        "## Ids",
        table(("id", "is"), [(code(f"#{name}"), meaning) for name, meaning in IDS.items() if name in ids]),
        "## data-lofte",
        table(("value", "is"), [(code(f'[data-lofte="{name}"]'), HOOKS[name]) for name in HOOKS if name in hooks]),
        'Each checkbox also carries `data-lofte-purpose`, the banner `data-gpc="1"` when the browser sends `Sec-GPC`.',
        _SIGNAL,
        _OTHERS,
        _AUTOMATIC,
        _THEME,
        _CLIENT,
    )


def found() -> tuple[set[str], set[str]]:
    """Ids and data-lofte values of the banner and the preferences page of the example policy."""
    published = example()
    html = (banner(published, MARKET, LOCALE) + preferences(published, MARKET, LOCALE)).decode()
    ids = {
        re.sub(r"^(lofte-(?:choice|why)-).*", r"\1<purpose>", each)
        for each in re.findall(r'\sid="(lofte-[^"]+)"', html)
    }
    return ids, set(re.findall(r'\sdata-lofte="([^"]+)"', html))


def example() -> Published:
    return assemble(read(read_directory(ROOT / "policies" / "xledger")), date(2026, 11, 22))


def _demand(seen: set[str], described: dict[str, str], what: str) -> None:
    if missing := seen - set(described):
        raise LookupError(f"describe these {what} in docs/generate/banner.py: {sorted(missing)}")
