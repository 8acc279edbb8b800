// The guard, before its data is put in and its lines are joined: every line ends where a break means nothing.
// Between //+soft and //-soft: what stands in front of loads, left out in strict mode, where the policy header does it; //+strict is
// the other way round. What can wait is in release.js, which the guard asks for once there is something to release, remove or tell.
// S: d publication, r reload on accept, o own hosts, k purpose -> model, h [purpose, path, patterns] of hosts, n the same of names by
// kind, l where release.js is.
(()=>{"use strict";const S=DATA,d=document,H=d.documentElement,
O=Object,P=(o,n)=>O.getOwnPropertyDescriptor(o,n),def=O.defineProperty,
// The header may have been set on the way, where the browser itself knows nothing of it.
gpc=navigator.globalPrivacyControl===true||performance.getEntriesByType('navigation').some(x=>
(x.serverTiming||[]).some(y=>y.name=='gpc')),
X=(l,t)=>l.map(([p,q,...v])=>
[RegExp('^('+v.map(x=>x.replace(/[^\w*]/g,'\\$&').replace(/\*/g,'.*')).join('|')+')'+t+'$'),p,q]),
names=S.n.map(l=>X(l,'')),hosts=X(S.h,'(:\\d+)?'),B=new URL(d.baseURI).host,told=[],G=d.currentScript,
//+soft
sa=Element.prototype.setAttribute,IH=P(Element.prototype,'innerHTML'),
src=G.text,
//-soft
jar=()=>{try{return d.cookie}catch(e){return''}};
let on,late,tt,C,asked,tidy=v=>v;
try{tt=self.trustedTypes&&trustedTypes.createPolicy('lofte',{createHTML:x=>x,createScript:x=>x,createScriptURL:x=>x})}catch(e){}
const all=p=>p.every(x=>on.has(x)),
//+soft
T=x=>tt?tt.createHTML(x):x,
//-soft
tell=()=>d.dispatchEvent(new CustomEvent('lofte:choice',{detail:{granted:[...on]}})),
no=()=>{throw new DOMException('held','SecurityError')},
load=()=>{if(asked||!S.l)return;
asked=1;const s=d.createElement('script');s.src=tt?tt.createScriptURL(S.l):S.l;G.after(s)},
say=(k,n)=>{told.push(k,n);load()},
// The purposes that a held host waits for (none: nobody declared it); false or nothing for what may load.
held=(u,k)=>{try{u=new URL(u,d.baseURI)}catch(e){return}
if(!/^(http|ws|ftp)/.test(u.protocol)||u.host==B||S.o.includes(u.host))return;
const p=hosts.filter(x=>x[0].test(u.host)).map(x=>x[1]);
return!(p[0]&&all(p))&&(say(k,u.host),p)},
write=(i,k,n)=>names[i].some(x=>x[0].test(n)&&on.has(x[1]))||(say(k,n),0),
read=()=>{const c=/(?:^|; *)lofte_on=([^.;]*)\.([^.;]*)(\.1)?/.exec(jar()),m=c&&c[1]==S.d,g=m?c[2].split('~'):[];
on=new Set(O.keys(S.k).filter(p=>!S.k[p]||(m?g.includes(p):S.k[p]<(gpc?2:3))));
H.toggleAttribute('data-lofte-chosen',!!m&&!c[3]);
H.toggleAttribute('data-lofte-gpc',gpc)},
//+soft
// Null for what may load, else what data-lofte-held is to say.
bar=(l,k)=>{let o=null;l.forEach(u=>{const p=held(u,k);
if(p)o=o===''||!p[0]?'':(o?o+'~':'')+p.join('~')});
return o},
list=(n,v)=>/srcset|ping/.test(n)?v.split(/[\s,]+/):[v],
loads=(e,n)=>/^(src|srcset|imagesrcset|poster|background|ping|attributionsrc)$/.test(n)||n=='data'&&e.localName=='object'
||/(^|:)href$/.test(n)&&/^(link|image|use|feimage|script)$/i.test(e.localName),
// Holds an attribute instead of setting it; true when held.
put=(e,n,v)=>{n=n.toLowerCase();
if(!loads(e,n))return;
const o=bar(list(n,v+''),e.localName.toLowerCase());
if(o===null)return;
e.removeAttribute(n);sa.call(e,'data-lofte-'+n,v+'');sa.call(e,'data-lofte-held',o);return 1},
comb=r=>{let hit=0;r.querySelectorAll('*').forEach(e=>{
[...e.attributes].forEach(a=>{if(a.name=='srcdoc'){a.value=doc(tidy(a.value)+'');hit=1}else if(put(e,a.name,a.value))hit=1});
if(e.content)hit|=comb(e.content)});
return hit},
// A document made from a text gets the guard too.
doc=v=>v.includes(src)?v:'<script>'+src+'<\/script>'+v,
//-soft
// Stands before one window's ways out. Frames without an address are armed when page code reaches into them.
arm=w=>{
const F=w.HTMLIFrameElement.prototype,
N=w.Element.prototype,
set=(o,n,f)=>{const x=o&&P(o,n);if(x&&x.set)def(o,n,{...x,set(v){return f(this,v,x)}})},
call=(o,n,f)=>{const g=o&&o[n];if(g)def(o,n,{configurable:true,writable:true,value:function(...a){return f(this,a,g)}})},
make=(n,f)=>{const K=w[n];
if(K)w[n]=new Proxy(K,{construct(t,a,x){return Reflect.construct(t,f(a)||a,x===w[n]?t:x)}})};
// The header stops these, too, but some browsers have called the host by then.
//+strict
[[F,'src'],[w.HTMLLinkElement.prototype,'href']].forEach(x=>set(x[0],x[1],(e,v,o)=>{held(v,e.localName)||o.set.call(e,v)}));
//-strict
call(w.HTMLFormElement.prototype,'submit',(e,a,g)=>{held(e.action,'form')||g.call(e)});
make('RTCPeerConnection',a=>{
JSON.stringify(a).replace(/"(?:stun|turn)s?:([^"]+)/g,(m,u)=>held('http://'+u,'rtc')&&no())});
[w.Node.prototype,N].forEach(o=>
'appendChild insertBefore replaceChild append prepend before after replaceWith insertAdjacentElement'.split(' ').forEach(n=>
P(o,n)&&call(o,n,(e,a,g)=>{const r=g.apply(e,a);
a.forEach(x=>x&&x.localName=='iframe'&&x.contentWindow);
return r})));
//+soft
('Script.src Image.src Image.srcset Link.href Link.imageSrcset Media.src Video.poster Source.src Source.srcset '+
'Track.src Embed.src Object.data Input.src Anchor.ping Area.ping IFrame.src').split(' ').forEach(x=>{
const[c,n]=x.split('.'),K=w['HTML'+c+'Element'];
set(K&&K.prototype,n,(e,v,o)=>{if(!put(e,n,v))o.set.call(e,v)})});
set(F,'srcdoc',(e,v,o)=>o.set.call(e,T(doc(tidy(v)+''))));
//-soft
['contentWindow','contentDocument'].forEach((n,i)=>{const o=P(F,n);
def(F,n,{...o,get(){const r=o.get.call(this);
try{const c=i?r.defaultView:r;if(!c.lofte&&!c.lofteArmed){c.lofteArmed=1;arm(c)}}catch(e){}
return r}})});
//+soft
call(N,'setAttribute',(e,a,g)=>(a[0]+'').toLowerCase()=='srcdoc'?g.call(e,a[0],T(doc(tidy(a[1])+''))):
put(e,a[0]+'',a[1])||g.apply(e,a));
call(N,'setAttributeNS',(e,a,g)=>put(e,a[1]+'',a[2])||g.apply(e,a));
[N,w.ShadowRoot&&w.ShadowRoot.prototype].forEach(o=>['innerHTML','outerHTML'].forEach(n=>
set(o,n,(e,v,x)=>x.set.call(e,tidy(v)))));
call(N,'insertAdjacentHTML',(e,a,g)=>g.call(e,a[0],tidy(a[1])));
call(w.Range.prototype,'createContextualFragment',(e,a,g)=>g.call(e,tidy(a[0])));
['write','writeln'].forEach(n=>call(w.Document.prototype,n,(e,a,g)=>g.call(e,tidy(a.length>1?a.join(''):a[0]))));
call(w,'fetch',(e,a,g)=>held(a[0]&&a[0].url||a[0],'fetch')?Promise.reject(new w.TypeError('held')):g.apply(w,a));
call(w,'fetchLater',(e,a,g)=>held(a[0]&&a[0].url||a[0],'fetch')?no():g.apply(w,a));
const dead=new WeakSet,Q=w.XMLHttpRequest.prototype;
call(Q,'open',(e,a,g)=>{dead[held(a[1],'fetch')?'add':'delete'](e);return g.apply(e,a)});
call(Q,'send',(e,a,g)=>dead.has(e)?
void setTimeout(()=>['error','loadend'].forEach(t=>e.dispatchEvent(new w.ProgressEvent(t)))):g.apply(e,a));
call(w.Navigator.prototype,'sendBeacon',(e,a,g)=>!!held(a[0],'beacon')||g.apply(e,a));
['WebSocket','EventSource','WebTransport'].forEach(n=>make(n,a=>{held(a[0],n.toLowerCase())&&no()}));
// A worker made of text is bound by the page's policy, which in soft mode names more than is allowed.
['Worker','SharedWorker'].forEach(n=>make(n,a=>{
(/^(blob|data):/.test(a[0])?!all(O.keys(S.k))&&(say('worker','blob'),1):held(a[0],'worker'))&&no()}));
make('Audio',a=>a[0]&&held(a[0],'audio')?[]:0);
make('FontFace',a=>{const u=/url\(["']?([^"')]+)/.exec(a[1]);
u&&held(u[1],'font')&&no()});
call(w.Worklet&&w.Worklet.prototype,'addModule',(e,a,g)=>held(a[0],'worklet')?no():g.apply(e,a));
//-soft
// A cookie is kept where it was declared, so that it is found again when it must go.
const c=P(w.Document.prototype,'cookie');
C=C||c;
def(w.Document.prototype,'cookie',{...c,set(v){v+='';
const n=v.split(/[=;]/)[0].trim(),x=names[0].find(x=>x[0].test(n));
if(/max-age=[-0]|expires=[^;]*[ -](19|20[01])\d/i.test(v)||write(0,'cookie',n))
c.set.call(this,x?v.replace(/;\s*path=[^;]*/i,'')+';path='+(x[2]||'/'):v)}});
call(w.CookieStore&&w.CookieStore.prototype,'set',(e,a,g)=>
write(0,'cookie',a[0]&&a[0].name||a[0])?g.apply(e,a):Promise.resolve());
['local','session'].forEach((k,i)=>{
const o=P(w,k+'Storage'),set=(t,n,v)=>{write(i+1,k,n)&&t.setItem(n,v);return true};
let p;
if(o)def(w,k+'Storage',{get:()=>p=p||new Proxy(o.get.call(w),{set,defineProperty:(t,n,x)=>set(t,n,x.value),
get:(t,n)=>n=='setItem'?set.bind(0,t):typeof t[n]=='function'?t[n].bind(t):t[n]})})});
[['IDBFactory','open',3,'indexeddb'],['StorageManager','getDirectory',4,'files'],['CacheStorage','open',4,'cache'],
['StorageBucketManager','open',4,'bucket']].forEach(x=>
call(w[x[0]]&&w[x[0]].prototype,x[1],(e,a,g)=>
write(x[2],x[3],a[0]||'/')?g.apply(e,a):x[2]>3?new Promise(no):no()))};
def(self,'lofte',{value:O.freeze({allows:p=>on.has(p),get granted(){return[...on]},
choose(){const o=[...on];
read();tell();
if(o+''!=[...on])S.r||o.some(p=>!on.has(p))?location.reload():late?late():load()},
rest(f){late=late||f(names,told,C,tt)}})});
//+soft
tidy=v=>{const s=v+'';
if(!/:\/\/|["'=\s]\/\/|srcdoc/i.test(s))return v;
const t=d.createElement('template');IH.set.call(t,T(s));
return comb(t.content)?T(IH.get.call(t)):v};
//-soft
read();arm(self);
// The name of a tab outlives the page: what the page sets is the page's alone.
(o=>{let n=o.get.call(self);def(self,'name',{...o,get:()=>n,set(v){n=v+''}})})(P(self,'name'));
if(/lofte_on=/.test(jar())||[...on].some(p=>S.k[p]))load();
d.addEventListener('DOMContentLoaded',tell)
})()
