// The guard, before its data is put in and its lines are joined: every line ends where a break means nothing.
// Between //+soft and //-soft: what stands in front of loads, left out in strict mode, where the policy header does it.
// S: d publication, r reload on accept, o own hosts, k purpose -> model, h [pattern, purpose] of hosts, n the same of names by kind.
(()=>{"use strict";const S=DATA,d=document,H=d.documentElement,
O=Object,P=(o,n)=>O.getOwnPropertyDescriptor(o,n),def=O.defineProperty,
// The header may have been set on the way, where the browser itself knows nothing of it.
gpc=navigator.globalPrivacyControl===true||performance.getEntriesByType('navigation').some(x=>
(x.serverTiming||[]).some(y=>y.name=='gpc')),
beacon=Navigator.prototype.sendBeacon,sa=Element.prototype.setAttribute,C=P(Document.prototype,'cookie'),
seen={},raw={},X=l=>l.map(x=>[RegExp('^(?:'+x[0]+')$'),x[1],x[2]]),names=S.n.map(X),hosts=X(S.h),B=new URL(d.baseURI).host,
IH=P(Element.prototype,'innerHTML'),
//+soft
src=d.currentScript.text,
//-soft
jar=()=>{try{return C.get.call(d)}catch(e){return''}};
let on,tt,tidy=v=>v;
try{tt=self.trustedTypes&&trustedTypes.createPolicy('lofte',{createHTML:x=>x,createScript:x=>x,createScriptURL:x=>x})}catch(e){}
const T=(k,x)=>tt?tt['create'+k](x):x,
all=p=>p.every(x=>on.has(x)),
// Told once, by name, without long numbers.
say=(k,n)=>{if(!seen[k+n])beacon.call(navigator,'/lofte/csp-report',JSON.stringify({body:{
documentURL:location.pathname,effectiveDirective:'lofte-'+k,blockedURL:n.replace(/\d{4,}/g,'*')}}));seen[k+n]=1},
// Null for what is ours, else the host and its purposes.
who=u=>{try{u=new URL(u,d.baseURI)}catch(e){return null}
return!/^(https?|wss?|ftp):$/.test(u.protocol)||u.host==B||S.o.includes(u.host)?null:
[u.host,hosts.filter(x=>x[0].test(u.host)).map(x=>x[1])]},
// Null for what may load, else what data-lofte-held is to say.
bar=(l,k)=>{let o=null;l.forEach(u=>{const w=who(u);
if(w&&!(w[1].length&&all(w[1]))){say(k,w[0]);o=o===''||!w[1].length?'':(o?o+'~':'')+w[1].join('~')}});
return o},
may=(u,k)=>bar([u],k)===null,
keep=(i,n)=>names[i].some(x=>x[0].test(n)&&on.has(x[1])),
left=(i,n)=>names[i].some(x=>x[0].test(n))&&!keep(i,n),
// A cookie is kept where it was declared, so that it is found again when it must go.
where=v=>{const x=names[0].find(y=>y[0].test(v.split(/[=;]/)[0].trim()));
return x?v.replace(/;\s*path=[^;]*/i,'')+';path='+(x[2]||'/'):v},
write=(i,k,n)=>keep(i,n)||say(k,n),
read=()=>{const c=/(?:^|; *)lofte_on=([^.;]*)\.([^.;]*)(\.1)?/.exec(jar()),m=c&&c[1]==S.d,g=m?c[2].split('~'):[];
on=new Set(O.keys(S.k).filter(p=>!S.k[p]||(m?g.includes(p):S.k[p]<(gpc?2:3))));
H.toggleAttribute('data-lofte-chosen',!!m&&!c[3]);
H.toggleAttribute('data-lofte-gpc',gpc)},
tell=()=>d.dispatchEvent(new CustomEvent('lofte:choice',{detail:{granted:[...on]}})),
// Removes what is left of purposes that are not allowed.
sweep=()=>{
jar().split(/; */).forEach(c=>{const n=c.split('=')[0];
if(left(0,n))location.pathname.split('/').forEach((x,i,a)=>
('.'+location.hostname).split('.').forEach((y,j,b)=>C.set.call(d,n+'=;max-age=0;path='+(a.slice(0,i+1).join('/')||'/')+
(j?';domain='+b.slice(j).join('.'):''))))});
['local','session'].forEach((k,i)=>{if(names[i+1].length)try{const s=raw[k]();
O.keys(s).forEach(n=>left(i+1,n)&&s.removeItem(n))}catch(e){}});
if(names[3].length)try{
indexedDB.databases().then(a=>a.forEach(x=>left(3,x.name)&&indexedDB.deleteDatabase(x.name)),()=>0)}catch(e){}},
// A script that was held, or put in after parsing, does not run: one like it does.
anew=e=>{const s=d.createElement('script'),h=e.hasAttribute('data-lofte-held');
[...e.attributes].forEach(a=>{const n=a.name.replace(/^data-lofte-(?!held|purpose)/,'');
if(!h||a.name!='type'&&n!='data-lofte-held')sa.call(s,n,n=='src'?T('ScriptURL',a.value):a.value)});
s.async=e.hasAttribute('async');
if(e.text)s.text=T('Script',e.text);
e.replaceWith(s)},
// Releases, in the order of the page, what has become allowed.
free=()=>{d.querySelectorAll('[data-lofte-held]').forEach(e=>{
const p=e.getAttribute('data-lofte-held').split(/[ ~]/);
if(!p[0]||!all(p))return;
if(e.localName=='script')return anew(e);
[...e.attributes].forEach(a=>{const m=/^data-lofte-(?!held|purpose)(.+)/.exec(a.name);
if(m){e.removeAttribute(a.name);sa.call(e,m[1],a.value)}});
e.removeAttribute('data-lofte-held');
if(e.localName=='iframe')e.hidden=false});
const css=t=>t.replace(/about:invalid#lofte-held~([^~]*)~([^"')\s]*)/g,
(m,p,u)=>all(p.split('+'))?decodeURIComponent(u):m);
d.querySelectorAll('style,[style*="lofte-held~"]').forEach(e=>{
const y=e.localName=='style',t=y?e.textContent:e.getAttribute('style'),n=css(t);
if(n!=t)y?e.textContent=n:sa.call(e,'style',n)})},
list=(n,v)=>/srcset|ping/.test(n)?v.split(/[\s,]+/):[v],
loads=(e,n)=>/^(src|srcset|imagesrcset|poster|background|ping|attributionsrc)$/.test(n)||n=='data'&&e.localName=='object'
||/(^|:)href$/.test(n)&&/^(link|image|use|feimage|script)$/i.test(e.localName),
// Holds an attribute instead of setting it; true when held.
put=(e,n,v)=>{n=n.toLowerCase();
if(!loads(e,n))return;
const o=bar(list(n,v+''),e.localName.toLowerCase());
if(o===null)return;
e.removeAttribute(n);sa.call(e,'data-lofte-'+n,v+'');sa.call(e,'data-lofte-held',o);return 1},
//+soft
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
if(K)w[n]=new Proxy(K,{construct(t,a,x){return Reflect.construct(t,f(a)||a,x===w[n]?t:x)}})},
no=()=>{throw new w.DOMException('held','SecurityError')};
// The header stops these, too, but some browsers have called the host by then.
set(F,'src',(e,v,o)=>{if(!put(e,'src',v))o.set.call(e,v)});
call(w.HTMLFormElement.prototype,'submit',(e,a,g)=>{if(may(e.action,'form'))g.call(e)});
make('RTCPeerConnection',a=>{((a[0]||{}).iceServers||[]).forEach(s=>[].concat(s.urls||s.url||[]).forEach(u=>
may(u.replace(/^(stun|turn)s?:/,'https://'),'rtc')||no()))});
[[w.Node.prototype,'appendChild insertBefore replaceChild'],[N,'append prepend before after replaceWith insertAdjacentElement']]
.forEach(x=>x[1].split(' ').forEach(n=>call(x[0],n,(e,a,g)=>{const r=g.apply(e,a);
a.forEach(x=>x&&x.localName=='iframe'&&x.contentWindow);
return r})));
//+soft
('Script.src Image.src Image.srcset Link.href Link.imageSrcset Media.src Video.poster Source.src Source.srcset '+
'Track.src Embed.src Object.data Input.src Anchor.ping Area.ping').split(' ').forEach(x=>{
const[c,n]=x.split('.'),K=w['HTML'+c+'Element'];
set(K&&K.prototype,n,(e,v,o)=>{if(!put(e,n,v))o.set.call(e,v)})});
set(F,'srcdoc',(e,v,o)=>o.set.call(e,T('HTML',doc(tidy(v)+''))));
//-soft
['contentWindow','contentDocument'].forEach((n,i)=>{const o=P(F,n);
def(F,n,{...o,get(){const r=o.get.call(this);
try{const c=i?r.defaultView:r;if(!c.lofte&&!c.lofteArmed){c.lofteArmed=1;arm(c)}}catch(e){}
return r}})});
//+soft
call(N,'setAttribute',(e,a,g)=>(a[0]+'').toLowerCase()=='srcdoc'?g.call(e,a[0],T('HTML',doc(tidy(a[1])+''))):
put(e,a[0]+'',a[1])||g.apply(e,a));
call(N,'setAttributeNS',(e,a,g)=>put(e,a[1]+'',a[2])||g.apply(e,a));
[N,w.ShadowRoot&&w.ShadowRoot.prototype].forEach(o=>['innerHTML','outerHTML'].forEach(n=>
set(o,n,(e,v,x)=>x.set.call(e,tidy(v)))));
call(N,'insertAdjacentHTML',(e,a,g)=>g.call(e,a[0],tidy(a[1])));
call(w.Range.prototype,'createContextualFragment',(e,a,g)=>g.call(e,tidy(a[0])));
call(w,'fetch',(e,a,g)=>may(a[0]&&a[0].url||a[0],'fetch')?g.apply(w,a):Promise.reject(new w.TypeError('held')));
call(w,'fetchLater',(e,a,g)=>may(a[0]&&a[0].url||a[0],'fetch')?g.apply(w,a):no());
const dead=new WeakSet,Q=w.XMLHttpRequest.prototype;
call(Q,'open',(e,a,g)=>{dead[may(a[1],'fetch')?'delete':'add'](e);return g.apply(e,a)});
call(Q,'send',(e,a,g)=>dead.has(e)?
void setTimeout(()=>['error','loadend'].forEach(t=>e.dispatchEvent(new w.ProgressEvent(t)))):g.apply(e,a));
call(w.Navigator.prototype,'sendBeacon',(e,a,g)=>!may(a[0],'beacon')||g.apply(e,a));
['WebSocket','EventSource','WebTransport'].forEach(n=>make(n,a=>{may(a[0],n.toLowerCase())||no()}));
// A worker made of text is bound by the page's policy, which in soft mode names more than is allowed.
['Worker','SharedWorker'].forEach(n=>make(n,a=>{
(/^(blob|data):/.test(a[0])?all(O.keys(S.k))||say('worker','blob'):may(a[0],'worker'))||no()}));
make('Audio',a=>a[0]&&!may(a[0],'audio')?[]:0);
make('FontFace',a=>{const u=/url\(["']?([^"')]+)/.exec(a[1]);
u&&!may(u[1],'font')&&no()});
call(w.Worklet&&w.Worklet.prototype,'addModule',(e,a,g)=>may(a[0],'worklet')?g.apply(e,a):no());
//-soft
// Tags of old write where they stand; after the page has been parsed that would wipe it.
['write','writeln'].forEach(n=>call(w.Document.prototype,n,(e,a,g)=>{const v=tidy(a.join(''));
if(e!=d||d.readyState=='loading')return g.call(e,v);
const t=d.createElement('template'),at=d.currentScript||d.body.lastChild;
IH.set.call(t,tt&&typeof v=='string'?T('HTML',v):v);
const l=[...t.content.querySelectorAll('script')];
at.after(t.content);
l.forEach(x=>x.hasAttribute('data-lofte-held')||anew(x))}));
const c=P(w.Document.prototype,'cookie');
def(w.Document.prototype,'cookie',{...c,set(v){v+='';
if(/max-age=[-0]|expires=[^;]*19[67]\d/i.test(v)||write(0,'cookie',v.split(/[=;]/)[0].trim()))c.set.call(this,where(v))}});
call(w.CookieStore&&w.CookieStore.prototype,'set',(e,a,g)=>
write(0,'cookie',a[0]&&a[0].name||a[0])?g.apply(e,a):Promise.resolve());
['local','session'].forEach((k,i)=>{
const o=P(w,k+'Storage'),set=(t,n,v)=>{write(i+1,k,n)&&t.setItem(n,v);return true};
let p;
if(!o)return;
if(w==self)raw[k]=()=>o.get.call(w);
def(w,k+'Storage',{get:()=>p=p||new Proxy(o.get.call(w),{set,defineProperty:(t,n,x)=>set(t,n,x.value),
get:(t,n)=>n=='setItem'?set.bind(0,t):typeof t[n]=='function'?t[n].bind(t):t[n]})})});
call(w.IDBFactory&&w.IDBFactory.prototype,'open',(e,a,g)=>write(3,'indexeddb',a[0])?g.apply(e,a):no());
call(w.StorageManager&&w.StorageManager.prototype,'getDirectory',(e,a,g)=>write(4,'files','/')?g.apply(e,a):
Promise.reject(new w.DOMException('held','SecurityError')));
call(w.CacheStorage&&w.CacheStorage.prototype,'open',(e,a,g)=>write(4,'cache',a[0])?g.apply(e,a):
Promise.reject(new w.DOMException('held','SecurityError')))};
def(self,'lofte',{value:O.freeze({allows:p=>on.has(p),get granted(){return[...on]},choose(){
const was=on,i=x=>[...x].sort()+'';
read();sweep();tell();
if(i(was)!=i(on))S.r||[...was].some(p=>!on.has(p))?location.reload():free()}})});
//+soft
tidy=v=>{const s=v+'';
if(!/:\/\/|["'=\s]\/\/|srcdoc/i.test(s))return v;
const t=d.createElement('template');IH.set.call(t,T('HTML',s));
return comb(t.content)?T('HTML',IH.get.call(t)):v};
//-soft
read();arm(self);
const ready=()=>{sweep();tell();free()};
if(/lofte_on=/.test(jar()))sweep();
d.readyState=='loading'?d.addEventListener('DOMContentLoaded',ready):ready()
})()
