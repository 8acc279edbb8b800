"""Programs that answer for people: DuckDuckGo's autoconsent for real, and the rule for Consent-O-Matic followed by the letter.

What they choose must be what is recorded and what is obeyed, in every language.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
NODE = ROOT / "tests" / "node"
HOMES = {"sv": "/se/", "nb": "/no/", "fi": "/fi/", "en-GB": "/uk/", "en-US": "/us/"}
OWN_RULE = json.loads((ROOT / "integrations" / "autoconsent" / "lofte.json").read_text())
CONSENT_O_MATIC = json.loads((ROOT / "integrations" / "consent-o-matic" / "lofte.json").read_text())["lofte"]

# The part of the browser extension that is not the content script: it hands out settings and rules, and hears the outcome.
EXTENSION = """({config, rules}) => {
    window.autoconsentSendMessage = async (message) => {
        console.log('autoconsent ' + JSON.stringify(message));
        if (message.type === 'init')
            setTimeout(() => window.autoconsentReceiveMessage({type: 'initResp', config, rules: {autoconsent: rules}}));
        if (message.type === 'eval')
            setTimeout(() => window.autoconsentReceiveMessage({type: 'evalResp', id: message.id, result: false}));
    };
}"""
CONFIG = {
    "enabled": True, "disabledCmps": [], "enablePrehide": True, "enableCosmeticRules": True, "detectRetries": 20,
    "isMainWorld": True, "prehideTimeout": 2000, "enableFilterList": False, "enableHeuristicDetection": True,
    "enablePopupMutationObserver": False, "performanceLoggingEnabled": False, "heuristicPopupSearchTimeout": 100,
    "visualTest": False, "logs": dict.fromkeys(
        ("lifecycle", "rulesteps", "detectionsteps", "evals", "errors", "messages", "waits"), False
    ),
}  # fmt: skip


@pytest.fixture(scope="session")
def autoconsent() -> str:
    source = NODE / "node_modules" / "@duckduckgo" / "autoconsent" / "dist" / "autoconsent.playwright.js"
    if not source.exists():
        try:
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=NODE, check=True, timeout=120)
        except (OSError, subprocess.SubprocessError):
            pytest.skip("autoconsent is not installed; run `npm ci` in tests/node")
    return source.read_text()


def drive(guest: Any, client: str, action: str, rules: list[Any], heuristics: str = "off") -> list[dict[str, Any]]:
    """Lets autoconsent loose on the page the guest is on; what it said, until it was done or 8 s had passed."""
    said: list[dict[str, Any]] = []

    def hear(message: Any) -> None:
        if message.text.startswith("autoconsent "):
            said.append(json.loads(message.text.removeprefix("autoconsent ")))

    guest.page.on("console", hear)
    given = {"config": {**CONFIG, "autoAction": action, "heuristicMode": heuristics}, "rules": rules}
    guest.page.evaluate(EXTENSION, given)
    guest.page.evaluate(client)
    guest.page.wait_for_selector("html[data-lofte-chosen]", state="attached", timeout=8000)
    guest.settle()
    return said


def chosen(guest: Any, locale: str) -> set[str]:
    """What is on by the settings page, which reads the signed cookie; recorded once, with a receipt."""
    market = {"sv": "se", "nb": "no", "fi": "fi", "en-GB": "gb", "en-US": "us"}[locale]
    guest.go(f"/lofte/preferences/{market}/{locale}/")
    assert guest.page.locator("[data-lofte=history] li").count() == 1
    boxes = guest.page.locator("[data-lofte-purpose]:checked")
    return set(boxes.evaluate_all("all => all.map(each => each.dataset.loftePurpose)"))


@pytest.mark.parametrize("action", ["optOut", "optIn"])
@pytest.mark.parametrize("locale", HOMES)
def test_autoconsent_drives_it_by_our_rule(visitor, autoconsent, locale, action):
    guest = visitor()
    guest.go(HOMES[locale])

    said = drive(guest, autoconsent, action, [OWN_RULE])
    guest.go(HOMES[locale])
    asked = set(guest.stage.seen())

    assert [one["cmp"] for one in said if one["type"] == "popupFound"] == ["lofte"]
    assert not [one for one in said if one["type"] == "autoconsentError"]
    assert bool(asked) == (action == "optIn")
    assert chosen(guest, locale) == ({"statistics", "marketing"} if action == "optIn" else set())


@pytest.mark.parametrize("locale", ["en-GB", "en-US"])
def test_autoconsent_finds_reject_by_its_words_alone(visitor, autoconsent, locale):
    guest = visitor()
    guest.go(HOMES[locale])

    drive(guest, autoconsent, "optOut", [], heuristics="reject")
    guest.go(HOMES[locale])

    assert guest.stage.seen() == {}
    assert chosen(guest, locale) == set()


@pytest.mark.parametrize("wanted", [set(), {"B"}, {"F"}, {"B", "F"}])
def test_the_rule_for_consent_o_matic_leads_to_each_choice(visitor, wanted):
    guest = visitor()
    guest.go("/no/")
    page = guest.page

    def the(target: dict[str, Any]) -> Any:
        found = page.locator(target["selector"])
        assert found.count() == 1
        return found

    for detector in CONSENT_O_MATIC["detectors"]:
        assert all(the(matcher["target"]).is_visible() for matcher in detector["showingMatcher"])
    methods = {method["name"]: method["action"] for method in CONSENT_O_MATIC["methods"]}
    for consent in methods["DO_CONSENT"]["consents"]:
        if the(consent["matcher"]["target"]).is_checked() != (consent["type"] in wanted):
            the(consent["toggleAction"]["target"]).click()
    the(methods["SAVE_CONSENT"]["target"]).click()
    page.wait_for_selector("html[data-lofte-chosen]", state="attached")
    guest.settle()

    meaning = {"B": "statistics", "F": "marketing"}
    assert chosen(guest, "nb") == {meaning[each] for each in wanted}


def test_the_rules_rely_on_nothing_but_the_documented_contract():
    text = (ROOT / "docs" / "reference" / "banner.md").read_text()
    rules = json.dumps([OWN_RULE, CONSENT_O_MATIC])

    for hook in ("accept", "reject", "save"):
        assert f"[data-lofte={hook}]" in rules
        assert f'`[data-lofte="{hook}"]`' in text
    assert "#lofte-banner" in text
    assert "data-lofte-chosen" in text
