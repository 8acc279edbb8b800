"""The receipt page: one file that says in words what was recorded and verifies itself, in a real browser without a network."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lofte.evidence.log import Draft, Log
from lofte.evidence.receipt_page import receipt_page, receipt_page_policy
from lofte.evidence.verify import ALTERED
from lofte.rules.catalogue import LOCALES, room_words

Receipt = dict[str, Any]
Show = Callable[..., Any]
NO_CRYPTO = "Object.defineProperty(window, 'crypto', {value: undefined})"
NO_ED25519 = """
    for (const name of ["importKey", "verify"])
      SubtleCrypto.prototype[name] = () => Promise.reject(new DOMException("no", "NotSupportedError"))
"""


def test_the_page_fetches_nothing_and_runs_only_its_own_script(receipt: Receipt) -> None:
    page = receipt_page(receipt, "sv").decode()
    policy = receipt_page_policy()
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)

    assert len(script) == len(style) == 1
    for text in (*script, *style):
        assert b64encode(sha256(text.encode()).digest()).decode() in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert not re.search(r"""(?:src|href|action)\s*=\s*["']|https?://|@import|url\(""", page)
    assert " style=" not in page
    assert not re.search(r"\son[a-z]+=", page)


def test_the_page_says_in_words_what_was_recorded_even_without_script(receipt: Receipt) -> None:
    page = receipt_page(receipt, "nb", {"statistics": "Statistikk"}).decode()

    assert "<title>Kvittering 5</title>" in page
    assert "Et valg ble tatt" in page
    assert '<li class="refused"><span class="verdict">Avslått</span> Statistikk</li>' in page
    assert "For å kontrollere at det stemmer må siden få kjøre sitt eget skript." in page


def test_nothing_in_a_receipt_can_become_markup(log: Log, draft: Callable[..., Draft]) -> None:
    nasty = "</script><script>alert(1)</script><!--<script>\"'&{{script}}"
    fact = json.dumps({"action": nasty, "choices": {"x": True}}, separators=(",", ":")).encode()
    log.append_and_wait(draft(0, fact=fact))
    page = receipt_page(log.receipt(0), "sv", {"x": nasty}).decode()

    assert page.count("</script>") == 4
    assert "<script>alert" not in page
    assert page.count('"use strict"') == 1


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_has_a_word_for_every_part_that_can_be_altered(locale: str) -> None:
    words = room_words(locale, "receipt")

    assert {f"part.{part}" for part in ALTERED} == {key for key in words if key.startswith("part.")}
    for key in re.findall(
        r'say\("([a-z_.]+)"', (Path(receipt_page.__code__.co_filename).parent / "page/show.js").read_text()
    ):
        assert key in words


def test_an_unknown_locale_is_an_error(receipt: Receipt) -> None:
    with pytest.raises(KeyError):
        receipt_page(receipt, "xx")


def test_the_page_is_small_enough_to_mail(receipt: Receipt) -> None:
    assert len(receipt_page(receipt, "fi")) < 60_000


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    options = [
        "--no-sandbox",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
    ]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=options)
        yield running
        running.close()


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Show]:
    """Opens a receipt page from a file, offline; the test fails on any error or refusal the browser reports."""
    opened: list[Any] = []
    complaints: list[str] = []

    def open_page(receipt: Receipt, locale: str = "sv", init: str = "", width: int = 1000, **options: Any) -> Any:
        path = tmp_path / f"receipt-{len(opened)}.html"
        path.write_bytes(receipt_page(receipt, locale, {"statistics": "Statistik"}))
        context = browser.new_context(offline=True, viewport={"width": width, "height": 800}, **options)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if init:
            page.add_init_script(init)
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in opened:
        context.close()
    assert complaints == []


def outcome(page: Any) -> tuple[str, str | None]:
    page.wait_for_selector("#status:not([data-state=checking])")
    return page.get_attribute("#status", "data-state"), page.get_attribute("#status", "data-part")


@pytest.mark.browser
@pytest.mark.parametrize("init", ["", NO_ED25519, NO_CRYPTO], ids=["webcrypto", "no-ed25519", "no-crypto"])
def test_a_true_receipt_verifies_itself_in_the_browser(show: Show, receipt: Receipt, init: str) -> None:
    page = show(receipt, init=init)

    assert outcome(page) == ("holds", None)
    assert page.inner_text("#status-title") == "Kvittot stämmer"
    assert "Avböjt Statistik" in page.inner_text("#facts")
    assert "22 november 2026" in page.inner_text("#facts")
    assert "Sverige" in page.inner_text("#facts")
    assert receipt["vkey"] in page.inner_text("#proof")


@pytest.mark.browser
@pytest.mark.parametrize("init", ["", NO_CRYPTO], ids=["webcrypto", "no-crypto"])
def test_the_browser_names_the_altered_part_as_the_command_does(
    show: Show, receipt: Receipt, every_alteration: dict[str, tuple[str, Receipt]], init: str
) -> None:
    page = show(receipt, init=init)
    words = room_words("sv", "receipt")
    found = {}
    for name, (_, altered) in every_alteration.items():
        page.fill("#pasted", json.dumps(altered))
        page.click("#check")
        found[name] = outcome(page)
        if found[name][0] == "altered":
            assert page.inner_text("#status-text") == words[f"part.{found[name][1]}"]
            assert not page.is_visible("#facts")

    assert found == {name: ("altered", part) for name, (part, _) in every_alteration.items()}


@pytest.mark.browser
def test_an_altered_page_says_so_at_once(show: Show, receipt: Receipt) -> None:
    receipt["fact"]["payload"]["choices"]["marketing"] = True
    page = show(receipt, locale="fi")

    assert outcome(page) == ("altered", "fact")
    assert page.inner_text("#status-title") == "Kuitti ei pidä paikkaansa"


@pytest.mark.browser
def test_a_shredded_receipt_holds_and_says_that_it_is_sealed(show: Show, receipt: Receipt, log: Log) -> None:
    log.shred([5])
    page = show(log.receipt(5), locale="en-GB")

    assert outcome(page) == ("holds", None)
    assert "Sealed or erased" in page.inner_text("#who-said")
    assert page.inner_text("#who") == ""


@pytest.mark.browser
def test_another_receipt_can_be_chosen_pasted_or_dropped_as_json_or_page(
    show: Show, receipt: Receipt, log: Log, tmp_path: Path
) -> None:
    page = show(receipt)
    assert outcome(page)[0] == "holds"
    other = json.dumps(log.receipt(7))
    (tmp_path / "other.json").write_text(other)
    (tmp_path / "other.html").write_bytes(receipt_page(log.receipt(8), "fi"))

    page.set_input_files("#file", tmp_path / "other.json")
    page.locator("#heading", has_text="Kvitto 7").wait_for()
    page.set_input_files("#file", tmp_path / "other.html")
    page.locator("#heading", has_text="Kvitto 8").wait_for()
    page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.items.add(new File([text], "dropped.json"));
          document.body.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: data}));
        }""",
        json.dumps(log.receipt(3)),
    )
    page.locator("#heading", has_text="Kvitto 3").wait_for()
    assert outcome(page) == ("holds", None)


@pytest.mark.browser
def test_a_key_from_elsewhere_is_compared(show: Show, receipt: Receipt) -> None:
    page = show(receipt)
    page.fill("#given-key", "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    page.dispatch_event("#given-key", "change")
    page.wait_for_selector("#status[data-part=key]")
    page.fill("#given-key", receipt["vkey"])
    page.dispatch_event("#given-key", "change")

    page.wait_for_selector("#status[data-state=holds]")
    assert "den nyckel du angav" in page.inner_text("#status-text")


@pytest.mark.browser
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("width", [320, 1200])
def test_the_page_fits_and_every_control_has_a_name(show: Show, receipt: Receipt, locale: str, width: int) -> None:
    page = show(receipt, locale=locale, width=width)
    outcome(page)

    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.get_attribute("html", "lang") == locale
    words = room_words(locale, "receipt")
    for role, key in (("textbox", "proof.given"), ("textbox", "other.paste"), ("button", "other.check")):
        assert page.get_by_role(role, name=words[key], exact=True).is_visible()
    assert page.get_by_label(words["other.file"]).count() == 1
    assert page.get_by_role("status").count() == 1


@pytest.mark.browser
def test_without_script_the_record_is_still_readable(show: Show, receipt: Receipt) -> None:
    page = show(receipt, locale="en-US", java_script_enabled=False)

    assert page.is_visible("text=A choice was made")
    assert page.is_visible("noscript")
    assert not page.is_visible("#other")
