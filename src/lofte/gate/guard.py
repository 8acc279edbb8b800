"""The guard: the first script of every page. It refuses what CSP cannot see: cookies and storage that page code writes.

A name no policy declares, or of a purpose not allowed, is not written and is reported once: by name, without the long
numbers in it, never by value. What is left over from a purpose that is no longer allowed is removed.
"""

import re
from collections.abc import Iterable

from lofte.gate.consent import ConsentState

# `ok` are the names page code may write, by kind of storage: cookie, local, session, indexeddb. `no` are the declared
# ones that must go, cookies aside: those the server expires, HttpOnly and on other paths included. Deleting is allowed.
_SCRIPT = """(()=>{const ok=[OK],no=[NO],seen={},D=Object.defineProperty,
may=(i,k,n)=>{
if(ok[i].test(n))return 1;
if(!seen[k+n])navigator.sendBeacon('/lofte/csp-report',JSON.stringify({body:{
documentURL:location.pathname,effectiveDirective:'lofte-'+k,blockedURL:n.replace(/\\d{4,}/g,'*')}}));
seen[k+n]=1},
c=Object.getOwnPropertyDescriptor(Document.prototype,'cookie');
D(Document.prototype,'cookie',{enumerable:true,get:c.get,set(v){
v+='';
(/max-age=[-0]|expires=[^;]*19[67]\\d/i.test(v)||may(0,'cookie',v.split(/[=;]/)[0].trim()))&&c.set.call(this,v)}});
if(self.CookieStore){const s=CookieStore.prototype,f=s.set;
s.set=function(o){return may(0,'cookie',o&&o.name||o)?f.apply(this,arguments):Promise.resolve()}}
['local','session'].forEach((k,i)=>{try{
const s=self[k+'Storage'],set=(t,n,v)=>{may(i+1,k,n)&&t.setItem(n,v);return true};
Object.keys(s).forEach(n=>no[i].test(n)&&s.removeItem(n));
const p=new Proxy(s,{set,get:(t,n)=>n=='setItem'?set.bind(0,t):typeof t[n]=='function'?t[n].bind(t):t[n]});
D(self,k+'Storage',{get:()=>p})}catch(e){}});
if(self.indexedDB){const I=IDBFactory.prototype,o=I.open;
I.databases&&indexedDB.databases().then(a=>a.forEach(d=>no[2].test(d.name)&&indexedDB.deleteDatabase(d.name)),()=>0);
I.open=function(n){
if(may(3,'indexeddb',n))return o.apply(this,arguments);
throw new DOMException('held','SecurityError')}}
})()"""
_KINDS = ("cookie", "local", "session", "indexeddb")
FRAME_STYLE = (
    "<style>:where(.lofte-held){display:flex;flex-direction:column;justify-content:center;gap:.5em;padding:1.5em;"
    "box-sizing:border-box;max-width:100%;border:1px solid #8886;border-radius:12px;background:#8881;"
    "font-size:1rem;line-height:1.5}"
    ":where(.lofte-held a){display:inline-block;padding:.6em 1em .6em 0}</style>"
)  # of no specificity: any rule of the site wins


def script(state: ConsentState) -> str:
    """The guard for one consent state; it holds no address and no value of the visitor."""
    allowed, refused = state.names_allowed, state.names_refused
    return (
        _SCRIPT.replace("\n", "")
        .replace("OK", ",".join(_names(allowed[kind]) for kind in _KINDS))
        .replace("NO", ",".join(_names(refused[kind]) for kind in _KINDS[1:]))
    )


def _names(names: Iterable[str]) -> str:
    """A JavaScript expression for these names, where a star stands for anything; without names it matches nothing."""
    safe = "|".join(re.sub(r"[^A-Za-z0-9_*-]", _escaped, name).replace("*", ".*") for name in sorted(set(names)))
    return f"/^({safe})$/" if safe else "/^$^/"


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"\\u{ord(unit):04x}" for unit in found.group())
