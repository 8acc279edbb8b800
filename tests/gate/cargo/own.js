// The site's own script: it reaches for every third party in every way a script can, and stores by every name.
const ways = {
  fetch: (to) => fetch(to, { mode: 'no-cors' }),
  xhr: (to) => { const x = new XMLHttpRequest(); x.open('GET', to); x.send() },
  beacon: (to) => navigator.sendBeacon(to, 'a'),
  websocket: (to) => new WebSocket(to.replace('http', 'ws')),
  eventsource: (to) => new EventSource(to),
  'image-js': (to) => { new Image().src = to },
  'image-attribute': (to) => document.createElement('img').setAttribute('src', to),
  'image-srcset-js': (to) => { document.createElement('img').srcset = to + ' 1x' },
  'script-js': (to) => { const s = document.createElement('script'); s.src = to; document.body.append(s) },
  'script-attribute': (to) => {
    const s = document.createElement('script'); s.setAttribute('src', to); document.head.insertBefore(s, null)
  },
  'frame-js': (to) => { const f = document.createElement('iframe'); f.src = to; document.body.append(f) },
  'frame-srcdoc-js': (to) => {
    const f = document.createElement('iframe'); f.srcdoc = `<img src="${to}">`; document.body.append(f)
  },
  'object-js': (to) => { const o = document.createElement('object'); o.data = to; document.body.append(o) },
  'embed-js': (to) => { const e = document.createElement('embed'); e.src = to; document.body.append(e) },
  'link-js': (to) => {
    const l = document.createElement('link'); l.rel = 'stylesheet'; l.href = to; document.head.append(l)
  },
  'prefetch-js': (to) => { const l = document.createElement('link'); l.rel = 'prefetch'; l.href = to; document.head.append(l) },
  'preconnect-js': (to) => {
    const l = document.createElement('link'); l.rel = 'preconnect'; l.href = new URL(to).origin; document.head.append(l)
  },
  'audio-js': (to) => new Audio(to).load(),
  'video-js': (to) => { const v = document.createElement('video'); v.src = to; v.load() },
  'poster-js': (to) => { const v = document.createElement('video'); v.poster = to; document.body.append(v) },
  innerhtml: (to) => { const d = document.createElement('div'); d.innerHTML = `<img src="${to}">` },
  'insert-html': (to) => document.body.insertAdjacentHTML('beforeend', `<iframe src="${to}"></iframe>`),
  fragment: (to) => document.body.append(document.createRange().createContextualFragment(`<script src="${to}"><\/script>`)),
  shadow: (to) => {
    const d = document.createElement('div'); d.attachShadow({ mode: 'open' }).innerHTML = `<img src="${to}">`; document.body.append(d)
  },
  template: (to) => {
    const t = document.createElement('template'); t.innerHTML = `<img src="${to}">`; document.body.append(t.content.cloneNode(true))
  },
  'style-js': (to) => { const s = document.createElement('style'); s.textContent = `@import "${to}";`; document.head.append(s) },
  'style-attribute': (to) => {
    const d = document.createElement('div'); d.textContent = 'x'; d.style.backgroundImage = `url(${to})`; document.body.append(d)
  },
  'style-sheet': (to) => {
    const s = new CSSStyleSheet(); s.replaceSync(`body{list-style:url(${to}) inside;display:list-item}`)
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, s]
  },
  fontface: (to) => new FontFace('f', `url(${to})`).load(),
  'form-js': (to) => {
    const f = document.createElement('form'); f.action = to; f.method = 'post'
    const sink = document.createElement('iframe'); sink.name = to; f.target = to; document.body.append(sink, f); f.submit()
  },
  'svg-image-js': (to) => {
    const i = document.createElementNS('http://www.w3.org/2000/svg', 'image'); i.setAttribute('href', to)
    const s = document.createElementNS('http://www.w3.org/2000/svg', 'svg'); s.append(i); document.body.append(s)
  },
  'other-window': (to) => {
    const f = document.createElement('iframe'); document.body.append(f); f.contentWindow.fetch(to, { mode: 'no-cors' })
  },
  'other-window-image': (to) => {
    const f = document.createElement('iframe'); document.body.append(f); new f.contentWindow.Image().src = to
  },
  'other-window-write': (to) => {
    const f = document.createElement('iframe'); document.body.append(f)
    f.contentDocument.write(`<img src="${to}">`); f.contentDocument.close()
  },
  'worker-blob': (to) => new Worker(URL.createObjectURL(new Blob([`fetch('${to}', {mode: 'no-cors'})`]))),
  'worker-import': (to) => new Worker(URL.createObjectURL(new Blob([`importScripts('${to}')`]))),
  'worker-own': (to) => new Worker('/worker.js?' + to),
  'worker-module': (to) => new Worker('/worker-module.js?' + to, { type: 'module' }),
  'shared-worker': (to) => new SharedWorker('/shared.js?' + to),
  'service-worker': (to) => navigator.serviceWorker.register('/service.js?' + to, { scope: '/scope/' + new URL(to).hostname }),
  'paint-worklet': (to) => CSS.paintWorklet.addModule(to),
  'audio-worklet': (to) => new AudioContext().audioWorklet.addModule(to),
  webrtc: (to) => {
    const c = new RTCPeerConnection({ iceServers: [{ urls: 'stun:' + new URL(to).host }] })
    c.createDataChannel('a'); c.createOffer().then((o) => c.setLocalDescription(o))
  },
  'fetch-later': (to) => fetchLater(to, { activateAfter: 0 }),
  'write-own': (to) => document.write(`<img src="${to}">`),
  'fetch-redirect': (to) => fetch('/away?' + to, { mode: 'no-cors' }),
  'frame-redirect': (to) => { const f = document.createElement('iframe'); f.src = '/away?' + to; document.body.append(f) },
  leave: (to) => {
    const f = document.createElement('iframe'); f.src = '/plain'
    f.onload = () => { f.contentWindow.onpagehide = () => navigator.sendBeacon(to); f.remove() }
    document.body.append(f)
  },
  'form-own': (to, party) => document.getElementById('form' + party).submit(),
  'ping-own': (to, party) => document.getElementById('ping' + party).click(),
};
const stores = {
  cookie: (name) => { document.cookie = name + '=1; path=/; max-age=10000' },
  'cookie-path': (name) => { document.cookie = name + '=1; path=/deep; max-age=10000' },
  'cookie-frame': (name) => {
    const f = document.createElement('iframe'); document.body.append(f)
    f.contentDocument.cookie = name + '=1; path=/; max-age=10000'
  },
  cookiestore: (name) => cookieStore.set(name, '1'),
  'cookiestore-object': (name) => cookieStore.set({ name, value: '1', expires: Date.now() + 1e7 }),
  local: (name) => localStorage.setItem(name, '1'),
  'local-property': (name) => { localStorage[name] = '1' },
  'local-prototype': (name) => Storage.prototype.setItem.call(window.localStorage, name, '1'),
  'local-define': (name) => Object.defineProperty(localStorage, name, { value: '1' }),
  'local-frame': (name) => {
    const f = document.createElement('iframe'); document.body.append(f); f.contentWindow.localStorage.setItem(name, '1')
  },
  session: (name) => sessionStorage.setItem(name, '1'),
  indexeddb: (name) => { indexedDB.open(name) },
  'indexeddb-worker': (name) => new Worker(URL.createObjectURL(new Blob([`indexedDB.open('${name}')`]))),
  'window-name': (name) => { window.name += ' ' + name },
  bucket: (name) => navigator.storageBuckets.open(name),
  caches: (name) => caches.open(name),
  'caches-worker': (name) => new Worker(URL.createObjectURL(new Blob([`caches.open('${name}')`]))),
  'file-system': (name) => navigator.storage.getDirectory().then((d) => d.getFileHandle(name, { create: true })),
};
// One kind alone when the address says so: the smallest page that shows a leak.
const only = new URLSearchParams(location.search).get('only');
const failed = window.failed = {};
const attempt = (kind, name, work) => {
  if (only && only !== kind) return;
  try { Promise.resolve(work()).catch((e) => { failed[name] = String(e) }) } catch (e) { failed[name] = String(e) }
};
for (const { content } of document.querySelectorAll('meta[name=party]')) {
  const [party, origin, names] = content.split(' ');
  for (const [kind, way] of Object.entries(ways)) attempt(kind, party + ' ' + kind, () => way(origin + '/' + kind, party));
  for (const [kind, store] of Object.entries(stores)) attempt(kind, names + kind, () => store(names + kind));
  document.documentElement.dataset.own = 1 + +(document.documentElement.dataset.own || 0);
}
// Refused by the site's own policy, which asks to be told where.
document.head.append(Object.assign(document.createElement('base'), { href: '/refused' }));
