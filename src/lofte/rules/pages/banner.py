"""The banner as frozen bytes: a section and a form in the light DOM, which work before and without any script.

Whoever serves it fills the slots with `fill`; all else is fixed at publication. The ids and `data-lofte` hooks are a
public contract for automatic clients (docs/reference/banner.md): change one only with a changelog entry.
Law: refusing is as easy as accepting, in the same view (ePrivacy 5(3), GDPR 4(11), 7(3); EDPB banner task force).
"""

import re
from html import escape

from lofte.rules.catalogue import say
from lofte.rules.colours import soft, wash
from lofte.rules.model import Locale, MarketId, Palette, StorageModel, Theme
from lofte.rules.published import Published
from lofte.rules.signals import answered_by_signal

# Reject comes first in the document: one tab reaches it. Only what differs between purposes is in the loop below.
# Half parsed it would be painted low and then grow: it shows only once its last element is there.
_CSS = """
#lofte-banner,#lofte-banner *{all:revert;box-sizing:border-box}
#lofte-banner{position:fixed;inset:auto 0 0;z-index:2147483000;max-height:50vh;overflow:auto;padding:4px 12px;
font:clamp(13px,4vw,15px)/1.27 system-ui,sans-serif;color:@text;background:@surface;border-top:1px solid @line;
box-shadow:0 0 30px #0003;color-scheme:light dark}
#lofte-banner form{display:grid;grid-template-columns:1fr 1fr;gap:5px 8px}
#lofte-banner form>*{grid-column:1/-1;margin:0}
#lofte-banner h2{font-size:1em}
#lofte-banner button{grid-column:auto;min-height:44px;padding:4px 8px;font:inherit;font-weight:600;
color:@button-text;background:@button;border:1px solid @button;border-radius:@radius}
#lofte-banner div{display:grid;grid-template-columns:auto 1fr;gap:inherit}
#lofte-banner fieldset{border:0;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:0 12px}
#lofte-banner label{display:grid;place-items:center;
min-height:44px}
#lofte-banner input{width:20px;height:20px;margin:0 0 2px;accent-color:@button}
#lofte-banner a{color:inherit}
#lofte-banner [hidden],html[data-lofte-chosen] #lofte-banner:not([data-done]),
html:not([data-lofte-gpc]) #lofte-banner[data-gpc=""] [data-lofte=gpc]{display:none}
html[data-lofte-gpc] #lofte-gpc{display:block}
#lofte-banner :focus-visible{outline:3px solid @focus;outline-offset:2px}
#lofte-banner:not(:has(script)){visibility:hidden}
html:not([data-lofte-chosen]):has(#lofte-banner){scroll-padding-bottom:50vh;padding-bottom:18rem}
@media(min-width:48rem){
#lofte-banner{bottom:24px;margin:0 auto;width:min(62rem,100% - 48px);padding:20px 24px;line-height:1.4;
border:1px solid @line;border-radius:14px}
#lofte-banner form{grid-template-columns:1fr 11rem 11rem;gap:10px 12px}
#lofte-banner h2{grid-area:1/1;font-size:1.2rem}
#lofte-banner h2+p{grid-column:1}
#lofte-banner form>button{grid-row:1/span 2;align-self:end}
#lofte-banner div{grid-template-columns:1fr 22.75rem}
#lofte-banner label{display:flex;gap:8px}}
@media(max-height:30rem){#lofte-banner{position:static;max-height:none}}
"""
# A browser that sends Global Privacy Control is not asked about what that answers: not at all where it answers everything.
_ANSWERED = """
html[data-lofte-gpc] #lofte-banner [data-lofte-answered],#lofte-banner[data-gpc="1"] [data-lofte-answered]{display:none}
"""
_ALL_ANSWERED = """
html[data-lofte-gpc] #lofte-banner,#lofte-banner[data-gpc="1"]{display:none}
html[data-lofte-gpc]:not([data-lofte-chosen]):has(#lofte-banner){scroll-padding-bottom:0;padding-bottom:0}
"""
_DARK = """
@media(prefers-color-scheme:dark){#lofte-banner{color:@text;background:@surface;border-color:@line}
#lofte-banner button{color:@button-text;background:@button;border-color:@button}
#lofte-banner input{accent-color:@button}
#lofte-banner :focus-visible{outline-color:@focus}}
"""

# Sends the same form without leaving the page, and lets the guard take up the choice: it releases what has become allowed, or
# loads the page anew where a Content Security Policy cannot be widened. A redirect kept back has status 0 and is the one good
# answer (Fetch 5.3); after anything else the same button submits the plain form, whose answer people can read. `once` makes a
# retry the same decision. A page that was asked anew, or came from a cache, is loaded again by the guard where it must.
# Links to the settings page open it in a dialog, where there is room: the same page, whose form and links go to the whole
# window. Its way back closes.
_SCRIPT = """
(()=>{const s=document.getElementById('lofte-banner'),f=s.querySelector('form'),
n=crypto.getRandomValues(new Uint8Array(16)).reduce((a,b)=>a+b.toString(16).padStart(2,0),'');
let plain;
f.onsubmit=e=>{
if(plain)return;
e.preventDefault();
const b=e.submitter,d=new FormData(f);
d.set('decision',b.value);
d.set('once',n);
if(document.documentElement.matches('[data-lofte-gpc]'))d.set('gpc',1);
fetch(f.action,{method:'POST',body:new URLSearchParams(d),redirect:'manual'}).then(r=>{
if(r.status)throw r;
const p=f.nextElementSibling;
s.dataset.done='';
f.remove();
p.hidden=0;
p.focus();
p.addEventListener('focusout',e=>p.contains(e.relatedTarget)||s.remove());
self.lofte?lofte.choose():location.reload()
}).catch(()=>{plain=1;b.click()})};
document.addEventListener('click',e=>{
const a=e.target.closest?.('a[href*="/lofte/preferences/"]');
if(!a||innerHeight<480||a.origin!=origin||e.button||e.metaKey||e.ctrlKey||e.shiftKey||e.altKey)return;
const d=document.createElement('dialog'),i=d.appendChild(document.createElement('iframe'));
d.id='lofte-dialog';
d.ariaLabel=i.title=a.textContent;
d.style='width:min(46rem,100%);height:92%;padding:0;border:1px solid;border-radius:14px;overflow:hidden';
i.style='width:100%;height:100%;border:0';
i.onload=()=>{const t=i.contentDocument,h=t.querySelector('.back');
if(!h)return location.reload();
h.onclick=e=>{e.preventDefault();d.close()};
t.onkeydown=e=>e.key=='Escape'&&d.close()};
d.onclose=()=>d.remove();
i.src=a.href;
document.body.append(d);
d.showModal();
e.preventDefault()})})()
"""


def banner(published: Published, market: MarketId, locale: Locale) -> bytes:
    """The banner of one market in one language; empty when the market asks nothing of its visitors.

    Slots: ``token``, ``back`` (a path, percent-encoded), and for pages without the gate ``nonce`` and ``gpc`` (``1`` when Sec-GPC
    was sent).
    """
    asked = asked_purposes(published, market)
    if not asked:
        return b""

    def word(part: str) -> str:
        return escape(published.word(locale, "banner", part))

    tail = f"{market.lower()}/{locale}/"
    settings = f"/lofte/preferences/{tail}?back=<!--lofte:back-->"
    legend = escape(say(locale, "banner.purposes"))
    answered = [key for key in asked if key in answered_by_signal(published.policy, market)]
    boxes = "".join(_checkbox(published, locale, key, model, key in answered) for key, model in asked.items())
    has_answer = " data-lofte-answered" if len(answered) == len(asked) else ""
    more = (_ALL_ANSWERED if has_answer else _ANSWERED) if answered else ""
    page = f"""<section id="lofte-banner" data-lofte="banner" data-gpc="<!--lofte:gpc-->"{has_answer} lang="{locale}" \
aria-labelledby="lofte-title">
<noscript><link rel="stylesheet" href="/lofte/chosen.css"></noscript>
<style nonce="<!--lofte:nonce-->">{_style(published.policy.banner.theme, more)}</style>
<form method="post" action="/lofte/consent">
{hidden_inputs(published, market, locale, "banner")}
<h2 id="lofte-title">{word("title")}</h2>
<p>{word("lead")}</p>
<button id="lofte-reject" data-lofte="reject" name="decision" value="reject">{word("reject")}</button>
<button id="lofte-accept" data-lofte="accept" name="decision" value="accept">{word("accept")}</button>
<div>
<fieldset data-lofte="purposes" aria-label="{legend}">{boxes}</fieldset>
<button id="lofte-save" data-lofte="save" name="decision" value="save">{word("save")}</button></div>
<p data-lofte="gpc">{_about_signal(published, locale, answered)}</p>
<p>{word("withdraw_hint")} <a data-lofte="preferences" href="{settings}">{word("choose")}</a> · \
<a data-lofte="cookies" href="/lofte/cookies/{tail}">{escape(say(locale, "banner.list"))}</a></p>
</form>
<p data-lofte="done" role="status" tabindex="-1" hidden>{escape(say(locale, "banner.done"))} \
<a href="{settings}">{word("settings_link")}</a></p>
<script nonce="<!--lofte:nonce-->">{_tight(_SCRIPT)}</script>
</section>"""
    return page.encode()


def asked_purposes(published: Published, market: MarketId) -> dict[str, StorageModel]:
    """The purposes a visitor of this market has a say in, in the order of the policy."""
    models = published.policy.browser_purposes(market)
    return {key: model for key, model in models.items() if model is not StorageModel.NECESSARY}


def is_on_unasked(model: StorageModel) -> bool:
    """Whether a purpose may run before any choice: only where the market's law lets it until the person objects."""
    return model in (StorageModel.NECESSARY, StorageModel.EXEMPT_WITH_OBJECTION, StorageModel.OPT_OUT)


def hidden_inputs(published: Published, market: MarketId, locale: Locale, shown: str) -> str:
    """What binds a decision to the words that were on the screen; ``shown`` is ``banner`` or ``preferences``."""
    name = f"{market}/{locale}/{shown}"
    values = {
        "token": "<!--lofte:token-->",
        "market": market,
        "locale": locale,
        "publication": published.digest,
        "wording": published.wordings.get(name) or published.wording(market, locale, "banner"),
        "back": "<!--lofte:back-->",
    }
    return "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in values.items())


def fill(page: bytes, **values: str) -> bytes:
    """The page with its slots filled by finished HTML (escape before); slots without a value become empty.

    ``fill(page, token=..., back=..., nonce=..., gpc="1")``; a dash in a slot's name is an underscore here.
    """
    made = {name.replace("_", "-").encode(): value.encode() for name, value in values.items()}
    return _SLOT.sub(lambda found: made.get(found.group(1), b""), page)


_SLOT = re.compile(rb"<!--lofte:([a-z0-9:-]+)-->")
_ROLE = re.compile(r"@(text|surface|line|button-text|button|focus|wash|soft|radius)\b")


def _about_signal(published: Published, locale: Locale, answered: list[str]) -> str:
    names = ", ".join(published.word(locale, "purposes", key, "name") for key in answered)
    return escape(say(locale, "banner.gpc_rest", purposes=names) if answered else say(locale, "banner.gpc"))


def _checkbox(published: Published, locale: Locale, key: str, model: StorageModel, is_answered: bool) -> str:
    # Never ticked where consent is asked (CJEU C-673/17 Planet49); ticked where the law only gives a right to object.
    ticked = " checked" if is_on_unasked(model) else ""
    name = escape(published.word(locale, "purposes", key, "name"))
    about = " data-lofte-answered" if is_answered else ""  # not asked of a browser that sends Global Privacy Control
    return (
        f'<label{about}><input type="checkbox" id="lofte-choice-{key}" data-lofte-purpose="{key}" name="choice.{key}" '
        f'value="on"{ticked}>{name}</label>'
    )


def _style(theme: Theme, more: str) -> str:
    return painted(_tight(_CSS + more), theme.light, theme.radius) + painted(_tight(_DARK), theme.dark, theme.radius)


def painted(style: str, palette: Palette, radius: int) -> str:
    """A style sheet with its ``@role`` replaced; accept and reject have no colours of their own (see `checks.banner`)."""
    roles = {
        "text": palette.text,
        "surface": palette.surface,
        "line": palette.line,
        "button": palette.button.surface,
        "button-text": palette.button.text,
        "focus": palette.focus,
        "wash": wash(palette),
        "soft": soft(palette),
        "radius": f"{radius}px",
    }
    return _ROLE.sub(lambda found: roles[found.group(1)], style)


def _tight(source: str) -> str:
    """One line: every line of the sources above ends where a break means nothing."""
    return source.replace("\n", "")
