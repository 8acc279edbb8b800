"""The consent clients that `scripts/bench banner` measures beside ours: how a site uses each, by its own documentation.

Each is told of the same purposes and of the same things to remove at withdrawal, as far as it can be told. The packages
come from npm by the lock in bench/peers; nothing here is shipped or needed by a test.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lofte.kernel.problems import Problem

PEERS = Path(__file__).parent / "peers"
PACKAGES = PEERS / "node_modules"
BUILT = PACKAGES / ".built"
LEFT_BEHIND = ("_bench_js", "_bench_path", "_bench_http", "bench.local")
"""What statistics leaves on the device: a cookie, one with a path, one for the server only, and a local storage key."""


@dataclass(frozen=True, slots=True)
class Client:
    """``first`` opens the page's head, ``last`` ends its body. Selectors are of the client's own documented markup."""

    id: str
    package: str
    path: str
    banner: str = ""
    accept: str = ""
    preferences: str = ""
    dialog: str = ""
    settings: str = ""
    withdraw: tuple[str, ...] = ()
    first: str = ""
    last: str = ""

    @property
    def version(self) -> str:
        if not self.package:
            return ""
        found: Mapping[str, str] = json.loads((PACKAGES / self.package / "package.json").read_text(encoding="utf-8"))
        return found["version"]


def _script(text: str) -> str:
    return f"<script>{text}</script>"


BARE = Client("none", "", "/peer/none/")
OURS = Client(
    "lofte", "", "/uk/", "#lofte-banner", "#lofte-accept", "#lofte-banner [data-lofte=preferences]",
    "#lofte-dialog iframe", "#lofte-settings a",
    ("#lofte-dialog iframe >> internal:control=enter-frame >> #lofte-withdraw",),
)  # fmt: skip
VANILLA = Client(
    "vanilla-cookieconsent", "vanilla-cookieconsent", "/peer/vanilla/",
    "#cc-main .cm", "#cc-main .cm [data-role=all]", "#cc-main .cm [data-role=show]", "#cc-main .pm",
    "#settings", ("#cc-main .pm [data-role=necessary]",),
    first='<link rel="stylesheet" href="/npm/vanilla-cookieconsent/dist/cookieconsent.css">',
    last='<button type="button" id="settings" data-cc="show-preferencesModal">Cookie settings</button>'
    '<script src="/npm/vanilla-cookieconsent/dist/cookieconsent.umd.js"></script>'
    + _script("""CookieConsent.run({hideFromBots:false,
categories:{necessary:{enabled:true,readOnly:true},statistics:{autoClear:{cookies:[{name:'_bench_js'},
{name:'_bench_path',path:'/peer/vanilla/shop'},{name:'_bench_http'},{name:'bench.local'}]}},marketing:{}},
language:{default:'en',translations:{en:{
consentModal:{title:'Cookies',description:'We use cookies for statistics and marketing if you let us. You may change your mind.',
acceptAllBtn:'Accept all',acceptNecessaryBtn:'Reject all',showPreferencesBtn:'Choose'},
preferencesModal:{title:'Cookie settings',acceptAllBtn:'Accept all',acceptNecessaryBtn:'Reject all',
savePreferencesBtn:'Save',closeIconLabel:'Close',sections:[
{title:'Necessary',description:'Always on.',linkedCategory:'necessary'},
{title:'Statistics',description:'How the site is used.',linkedCategory:'statistics'},
{title:'Marketing',description:'Relevant adverts.',linkedCategory:'marketing'}]}}}}})"""),
)  # fmt: skip
KLARO = Client(
    "klaro", "klaro", "/peer/klaro/",
    ".klaro .cookie-notice", ".klaro .cookie-notice .cm-btn-success", ".klaro .cookie-notice .cn-learn-more",
    ".klaro .cm-modal", "#settings", (".klaro .cm-modal .cm-toggle-all label", ".klaro .cm-modal .cm-btn-accept"),
    last='<button type="button" id="settings" onclick="klaro.show()">Cookie settings</button>'
    + _script("""var klaroConfig={version:1,acceptAll:true,lang:'en',
translations:{en:{privacyPolicyUrl:'/privacy',purposes:{statistics:'Statistics',marketing:'Marketing'}}},
services:[{name:'counter',title:'Counter',purposes:['statistics'],
cookies:['_bench_js',['_bench_path','/peer/klaro/shop'],'_bench_http','bench.local']},
{name:'adverts',title:'Adverts',purposes:['marketing'],cookies:[]}]}""")
    + '<script defer src="/npm/klaro/dist/klaro.js"></script>',
)  # fmt: skip
TARTEAUCITRON = Client(
    "tarteaucitron", "tarteaucitronjs", "/peer/tarteaucitron/",
    "#tarteaucitronAlertBig", "#tarteaucitronPersonalize2", "#tarteaucitronCloseAlert",
    "#tarteaucitron", "#settings", ("#tarteaucitronAllDenied",),
    first='<script src="/npm/tarteaucitronjs/tarteaucitron.min.js"></script>',
    last='<button type="button" id="settings" onclick="tarteaucitron.userInterface.openPanel()">Cookie settings</button>'
    + _script("""tarteaucitron.init({privacyUrl:'/privacy',bodyPosition:'top',hashtag:'#tarteaucitron',
cookieName:'tarteaucitron',orientation:'bottom',groupServices:false,showAlertSmall:false,cookieslist:false,
showIcon:false,DenyAllCta:true,AcceptAllCta:true,highPrivacy:true,adblocker:false,handleBrowserDNTRequest:false,
removeCredit:true,moreInfoLink:false,useExternalCss:false,useExternalJs:false,mandatory:true});
(tarteaucitron.job=tarteaucitron.job||[]).push('counter');
(function add(){if(!tarteaucitron.services)return setTimeout(add,5);
tarteaucitron.services.counter={key:'counter',type:'analytic',name:'Counter',uri:'/privacy',needConsent:true,
cookies:['_bench_js','_bench_path','_bench_http','bench.local'],js:function(){},fallback:function(){}}})()"""),
)  # fmt: skip
C15T = Client(
    "c15t", "@c15t/react", "/peer/c15t/",
    '[data-testid="consent-banner-card"]', '[data-testid="consent-banner-accept-button"]',
    '[data-testid="consent-banner-customize-button"]', '[data-testid="consent-dialog-card"]',
    "#settings", ('[data-testid="consent-widget-reject-button"]',),
    first='<link rel="stylesheet" href="/built/c15t.css">',
    last='<div id="consent"></div><script defer src="/built/c15t.js"></script>',
)  # fmt: skip
OTHERS = (VANILLA, KLARO, TARTEAUCITRON, C15T)


def install() -> None:
    """The packages of the lock, once. Raises Problem where npm or its registry cannot be reached."""
    lock = (PEERS / "package-lock.json").read_bytes()
    stamp = PACKAGES / ".lofte-installed"
    if not stamp.exists() or stamp.read_bytes() != lock:
        _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        stamp.write_bytes(lock)
    if not (BUILT / "c15t.js").exists():
        _run(
            str(PACKAGES / ".bin" / "esbuild"), "c15t.jsx", f"--outfile={BUILT / 'c15t.js'}", "--bundle", "--minify",
            "--format=iife", "--jsx=automatic", '--define:process.env.NODE_ENV="production"', "--log-level=error",
        )  # fmt: skip


def _run(*command: str) -> None:
    way_out = "Install Node.js with npm and see that its registry can be reached, or run without the others."
    try:
        done = subprocess.run(command, cwd=PEERS, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Problem("bench.no-npm", f"{command[0]} was not found", way_out=way_out) from None
    if done.returncode:
        raise Problem("bench.not-installed", done.stderr.strip()[-400:], way_out=way_out)


TRACKER = "http://tracker.test"
_CARGO = """<link rel="stylesheet" href="T/style.css?via=stylesheet">
<script src="T/tag.js?via=script"></script>
<script>document.cookie='cargo_inline=1;path=/';localStorage.setItem('cargo_inline','1')</script>
<iframe title="Film" width="320" height="180" src="T/frame?via=frame"></iframe>
<img alt="" width="1" height="1" src="T/pixel.gif?via=image">
<script>(function(){var s=document.createElement('script');s.src='T/tag.js?via=injected';document.head.appendChild(s);
new Image().src='T/pixel.gif?via=beacon-image';navigator.sendBeacon('T/collect?via=beacon');
fetch('T/collect?via=fetch',{mode:'no-cors'}).catch(function(){})})()</script>"""
KINDS_OF_CARGO = 8
TAG = "document.cookie='cargo_'+VIA+'=1;path=/';try{localStorage.setItem('cargo_'+VIA,'1')}catch(e){}"
_TEXT = "<p>An ordinary page has some text, and this one has about as much of it as many of them do.</p>"


def page(client: Client, *, cargo: bool) -> bytes:
    """The same page for everyone, with what the client asks a site to put into it. Of the cargo no tag is marked up."""
    loads = _CARGO.replace("T/", f"{TRACKER}/") if cargo else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>A page</title>{client.first}</head><body>'
        f'<header><a href="/">Example</a></header><main><h1>A page</h1>{_TEXT * 40}{loads}</main>'
        f'<footer><a href="/privacy">Privacy</a> {client.last}</footer></body></html>'
    ).encode()
