"""The scanner against the parser that counts: whatever broken markup is made of, the browser finds nothing third-party in it."""

import random
from typing import Any

import pytest

from lofte.gate.consent import ConsentState, Declarations
from lofte.gate.document import View, hold
from lofte.gate.placeholders import Placeholders

pytestmark = pytest.mark.browser

# Joined at random: what loads, what changes how a parser reads on, and crumbs.
PIECES = [
    '<img src="//t.test/x">',
    "<img src=//t.test/x>",
    "<IMG SRC='//t.test/x'",
    '<img alt=">" src="//t.test/x">',
    "<img/src=//t.test/x />",
    "<input type=image src=//t.test/x>",
    '<script src="//t.test/x"></script>',
    "<link rel=stylesheet href=//t.test/x>",
    "<style>p{background:url(//t.test/x)}</style>",
    "<p style='background:url(//t.test/x)'>",
    "<svg><image href='//t.test/x'/>",
    '<svg><path d="M0 0"/><image href="//t.test/x"/></svg>',
    "<iframe src='//t.test/x'>",
    "<video poster=//t.test/x>",
    "<source srcset='//t.test/x 2x'>",
    "<object data=//t.test/x>",
    "<embed src=//t.test/x>",
    "<base href=//t.test/>",
    "<script>",
    "</script>",
    "<script type=x>",
    "<!--",
    "-->",
    "--!>",
    "<!-->",
    "<!",
    "<?x",
    "</x",
    "</ ",
    "<style>",
    "</style>",
    "<textarea>",
    "</textarea>",
    "<title>",
    "</title>",
    "<noscript>",
    "</noscript>",
    "<svg>",
    "</svg>",
    "<math>",
    "<mi>",
    "</mi>",
    "</math>",
    "</iframe>",
    "<xmp>",
    "</xmp>",
    "<noembed>",
    "</noembed>",
    "<plaintext>",
    "<template>",
    "</template>",
    "<select>",
    "</select>",
    "<table>",
    "<desc>",
    "<foreignObject>",
    "<![CDATA[",
    "]]>",
    "<a title='",
    '<a title="',
    "<body>",
    "<html>",
    "<head>",
    "<p>",
    "</p>",
    "<b a=b",
    "&quot;",
    "&gt;",
    ">",
    "<",
    '"',
    "'",
    "=",
    "/",
    "a",
    "\n",
    " ",
    "</ ",
]

# Scripting is off in a parsed document, so the insides of noscript are elements too. Templates are looked into.
LOOK = """(pages) => pages.map(html => {
    const found = [], host = '//t.test', loads = ['src', 'srcset', 'poster', 'background', 'style'];
    const look = (root) => root.querySelectorAll('*').forEach(e => {
        if (e.content) look(e.content);
        if (e.localName == 'script' && e.type == 'text/plain') return;
        const more = {object: 'data', link: 'href', image: 'href', base: 'href', use: 'href'}[e.localName];
        const names = more ? [...loads, more] : loads;
        const leaks = names.some(name => (e.getAttribute(name) || '').includes(host));
        if (leaks || e.localName == 'style' && e.textContent.includes('(' + host)) found.push(e.outerHTML.slice(0, 60));
    });
    look(new DOMParser().parseFromString(html, 'text/html'));
    return found;
})"""


@pytest.mark.parametrize("seed", range(5))
def test_no_broken_markup_hides_a_third_party(published, page, seed):
    state = ConsentState(Declarations(published, "SE", {}), frozenset({"necessary"}), frozenset())
    placeholders = Placeholders(published, "SE", "sv", b"k" * 32)
    view = View(state, "small.se", "n" * 22, "/lofte/preferences/se/sv/", placeholders)
    chance = random.Random(seed)
    made = ["".join(chance.choices(PIECES, k=chance.randint(2, 14))) for _ in range(2500)]

    found = page.evaluate(LOOK, [hold(text.encode(), view).bytes().decode() for text in made])

    leaks = [(text, what) for text, what in zip(made, found, strict=True) if what]
    assert leaks == []


@pytest.fixture(scope="module")
def page(chromium: str) -> Any:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-quic", "--no-first-run"]
        )
        yield browser.new_page()
        browser.close()
