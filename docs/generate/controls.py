"""controls.md: every control, what it asserts, which law asks, how long a proof lasts and what it can say."""

from docs.generate.markdown import ROOT, code, lasting, page, table

from lofte.rules.control import Control
from lofte.rules.controls import _shared_reasons, all_controls, words_of

NAME = "controls.md"
LOCALE = "en-GB"

_LEAD = """A control is one thing that must hold. A promise in `policy.yaml` names the controls that keep it:

```yaml
promises:
  P15:
    controls:
      - control: gone_after_withdrawal_or_inactivity
```

A *probe* gathers what the control needs to see from the living system; the control judges it: **kept**, **broken** or
**unproved**. A proof older than *fresh for* counts as unproved. A control without a probe can never be more than
unproved, and says what is missing. A promise is kept when all its controls are, and broken when one is.

The words stand here in British English; the same are in `src/lofte/rules/controls/<id>.yaml` in five languages. [How
to add a control](../howto/add-a-control.md)."""


def made() -> str:
    found = all_controls()
    rows = [(f"[{key}](#{key})", words_of(key)[LOCALE].name, _watched(key)) for key in found]
    shared = [(code(key), words) for key, words in sorted(_shared_reasons()[LOCALE].items())]
    return page(
        "Controls",
        _LEAD,
        table(("control", "name", "watched by"), rows),
        *(_section(control) for control in found.values()),
        "## Reasons every control may give",
        table(("reason", "words"), shared),
    )


def has_probe(control_id: str) -> bool:
    return (ROOT / "src" / "lofte" / "probes" / f"{control_id}.py").is_file()


def _watched(control_id: str) -> str:
    return "a probe" if has_probe(control_id) else "nobody yet"


def _section(control: Control) -> str:
    words = words_of(control.id)[LOCALE]
    lines = [
        f"- Law: {'; '.join(control.law)}",
        f"- Needs: {', '.join(sorted(control.needs)) or 'nothing but what is declared'}",
        f"- Fresh for: {lasting(control.fresh_for)}",
    ]
    if not has_probe(control.id):
        lines.append(f"- Missing: {words.missing or 'a probe'}")
    reasons = table(("reason", "words"), [(code(key), text) for key, text in words.reasons.items()])
    return "\n\n".join(
        filter(None, [f"## {control.id}", f"**{words.name}.** {words.asserts}", "\n".join(lines), reasons])
    )
