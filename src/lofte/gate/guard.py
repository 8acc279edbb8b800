"""The guard: the first script of every page. It refuses what CSP cannot see: cookies and storage that page code writes.

A name no policy declares, or of a purpose not allowed, is not written and is reported once: by name, without the long
numbers in it, never by value. What is left over from a purpose that is no longer allowed is removed.
"""

import re
from collections.abc import Iterable

from lofte.gate.consent import ConsentState

# `ok` are the names allowed by kind of storage, `no` the declared ones that are not. Deleting is always allowed.
_SCRIPT = """(()=>{const ok=[OK],no=[NO],seen={},D=Object.defineProperty,
held=(k,n)=>{
if(seen[k+n])return;
seen[k+n]=1;
navigator.sendBeacon('/lofte/csp-report',new Blob([JSON.stringify({'csp-report':{
'document-uri':location.origin+location.pathname,'effective-directive':'lofte-'+k,'blocked-uri':n.replace(/\\d{4,}/g,'*')}})],{type:'application/csp-report'}))},
may=(i,k,n)=>ok[i].test(n)||(held(k,n),false),
c=Object.getOwnPropertyDescriptor(Document.prototype,'cookie');
D(Document.prototype,'cookie',{enumerable:true,get:c.get,set(v){
v=String(v);
(/max-age=[-0]|expires=[^;]*19[67]\\d/i.test(v)||may(0,'cookie',v.split(/[=;]/)[0].trim()))&&c.set.call(this,v)}});
if(self.CookieStore){const s=CookieStore.prototype,f=s.set;
s.set=function(o){return may(0,'cookie',o&&o.name||o)?f.apply(this,arguments):Promise.resolve()}}
['local','session'].forEach((k,i)=>{try{
const s=self[k+'Storage'];
Object.keys(s).forEach(n=>no[i+1].test(n)&&s.removeItem(n));
const p=new Proxy(s,{
set:(t,n,v)=>{may(i+1,k,n)&&t.setItem(n,v);return true},
get:(t,n)=>n=='setItem'?(n,v)=>{may(i+1,k,n)&&t.setItem(n,v)}:typeof t[n]=='function'?t[n].bind(t):t[n]});
D(self,k+'Storage',{get:()=>p})}catch(e){}});
if(self.indexedDB){const I=IDBFactory.prototype,o=I.open;
indexedDB.databases&&indexedDB.databases().then(a=>a.forEach(d=>no[3].test(d.name)&&indexedDB.deleteDatabase(d.name))).catch(()=>{});
I.open=function(n){
if(may(3,'indexeddb',n))return o.apply(this,arguments);
throw new DOMException('held','SecurityError')}}
})()"""
STYLE = (
    ":where(.lofte-held){display:flex;flex-direction:column;justify-content:center;gap:.5em;box-sizing:border-box;"
    "max-width:100%;padding:1.5em;border:1px solid #8886;border-radius:12px;background:#8881;"
    "font-size:1rem;line-height:1.5}"
    ":where(.lofte-held a){display:inline-block;padding:.6em 1em .6em 0}"
    ":where(nav#lofte-settings){margin:0;padding:.75em 1em;font:14px system-ui,sans-serif}"
)  # of no specificity: any rule of the site wins


def script(state: ConsentState) -> str:
    """The guard for one consent state; it holds no address and no value of the visitor."""
    kinds = ("cookie", "local", "session", "indexeddb")
    return (
        _SCRIPT.replace("\n", "")
        .replace("OK", ",".join(_names(state.names_allowed[kind]) for kind in kinds))
        .replace("NO", ",".join(_names(state.names_refused[kind]) for kind in kinds))
    )


def _names(names: Iterable[str]) -> str:
    """A JavaScript expression for these names, where a star stands for anything; without names it matches nothing."""
    safe = "|".join(re.sub(r"[^A-Za-z0-9_*-]", _escaped, name).replace("*", ".*") for name in sorted(set(names)))
    return f"/^({safe})$/" if safe else "/^$^/"


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"\\u{ord(unit):04x}" for unit in found.group())
