"""The second script of every page: tells tags that know how to listen what the visitor allows, and lets nobody else say so.

The same bytes for everyone in a market: it asks the guard (`lofte.allows`) and hears of later choices (`lofte:choice`).

Google Consent Mode v2, basic: the seven types are denied in `dataLayer` before anything else can be there, the visitor's state
follows at once, and each later choice on the page of the choice. What else a page or a leftover plugin says of consent is not
passed on, nor click ids in addresses (`url_passthrough`). A property whose statistics are denied is switched off whole
(`ga-disable-`), so that a tag loaded for something else sends no pings of its own; so is it for who has Google's opt-out add-on.

Global Privacy Control: where something runs until somebody objects, the signal is handed in to be kept (`edge.signal`).

Meta: the pixel hears `revoke` or `grant`, and in the United States how far its data may be used, before its `init`.

LinkedIn's tag knows no such signal: it is only ever held or loaded. YouTube neither: see `gate.placeholders`.
"""

import json
from typing import Any

from lofte.gate.consent import Declarations
from lofte.rules.model import ConsentType, StorageModel
from lofte.rules.signals import Needed, Signals, signals_of

# Types with null are never granted, with [] always. `mine` are the pushes of this script. Whoever wraps `push` keeps what was there
# before as it was, so each layer filters once and none calls itself.
_GOOGLE = """T=TYPES,mine=new WeakSet,L=[],
ok=t=>!!T[t]&&T[t].every(p=>A(p))&&!(t=='analytics_storage'&&w._gaUserPrefs&&w._gaUserPrefs.ioo&&w._gaUserPrefs.ioo()),
state=f=>{const s={};for(const t in T)s[t]=f(t)?'granted':'denied';return s},
g=function(){mine.add(arguments);L.push(arguments)},
off=id=>{const k='ga-disable-'+id,d=Object.getOwnPropertyDescriptor(w,k);let own=d&&d.value;
if(!d||d.configurable&&!d.get)D(w,k,{configurable:true,get:()=>own||!ok('analytics_storage'),set(v){own=v}})},
may=x=>{
if(!x||mine.has(x))return 1;
if(x[0]=='consent')return 0;
if(x[0]=='config'&&/^(G|UA)-/.test(x[1]))off(x[1]);
if(x[0]=='set'){const o=x[1]&&typeof x[1]=='object'&&x[1],S={url_passthrough:false,ads_data_redaction:true};
for(const k in S){if(x[1]==k)x[2]=S[k];if(o&&k in o)o[k]=S[k]}}
return 1},
guarded=f=>function(){const a=[].filter.call(arguments,may);return a.length?f.apply(L,a):L.length},
tell=()=>{const s=state(ok),j=JSON.stringify(s);if(j!=last){last=j;g('consent','update',s)}};
let last,push=guarded(L.push);
D(L,'push',{get:()=>push,set(f){push=guarded(f)}});
[].forEach.call(w.dataLayer||[],x=>L.push(x));
D(w,'dataLayer',{configurable:true,get:()=>L,set(v){if(v&&v!=L)[].forEach.call(v,x=>L.push(x))}});
const none=state(t=>T[t]&&!T[t].length);last=JSON.stringify(none);
g('consent','default',none);g('set','ads_data_redaction',true);g('set','url_passthrough',false);tell();
E('lofte:choice',tell);"""
# The snippet of the pixel makes `fbq`, then its queue, then calls it: the first reading that finds the queue is before `init`.
_META = """let f,told;const may=()=>META.every(p=>A(p))?'grant':'revoke';
D(w,'fbq',{configurable:true,set(v){f=v;told=0},get(){
if(f&&f.queue&&!told){told=1;f('consent',may());LIMIT}
return f}});
E('lofte:choice',()=>told&&f('consent',may()));"""
# Where nobody was asked, or the browser objects, Meta is to act as a processor; it finds the state of the visitor itself (0, 0).
_LIMIT = """f('dataProcessingOptions',is('gpc')||!is('chosen')?['LDU']:[],0,0)"""
# Where something runs until somebody objects, the browser's objection is kept, so that its absence later is no yes.
_KEEP = """if(is('gpc')&&!is('chosen'))
fetch('/lofte/signal?WHERE',{method:'POST',keepalive:true}).then(r=>r.status==201&&lofte.choose(),()=>0);"""
_FRAME = """(()=>{const w=window,D=Object.defineProperty,A=p=>lofte.allows(p),E=(n,f)=>document.addEventListener(n,f),
is=n=>document.documentElement.hasAttribute('data-lofte-'+n);
PARTS})()"""


def script(declarations: Declarations) -> str:
    """The script for one publication and market, without its tags; empty where nobody would listen and nothing is kept."""
    signals = signals_of(declarations.policy, declarations.market)
    parts = [part for part in (_google(signals), _meta(signals), _keep(declarations)) if part]
    return _FRAME.replace("PARTS", "".join(parts)).replace("\n", "") if parts else ""


def _google(signals: Signals) -> str:
    if not signals.google:
        return ""
    kinds = {kind.value: _needed(signals.google[kind]) for kind in ConsentType}
    return "{const " + _GOOGLE.replace("TYPES", _literal(kinds)) + "}"


def _meta(signals: Signals) -> str:
    if signals.meta is None:
        return ""
    meta = _META.replace("META", _literal(_needed(signals.meta)))
    return "{" + meta.replace("LIMIT", _LIMIT if signals.limits_use else "") + "}"


def _keep(declarations: Declarations) -> str:
    if StorageModel.OPT_OUT not in declarations.policy.browser_purposes(declarations.market).values():
        return ""
    locale = declarations.policy.markets[declarations.market].locales[0]
    return _KEEP.replace("WHERE", f"market={declarations.market}&locale={locale}")


def _needed(purposes: Needed) -> list[str] | None:
    return None if purposes is None else list(purposes)


def _literal(value: Any) -> str:
    """JSON that cannot end the script element it stands in; purposes are ids, so nothing needs escaping."""
    return json.dumps(value, separators=(",", ":"))
