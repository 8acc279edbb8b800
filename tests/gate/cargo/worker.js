const to = location.search.slice(1);
fetch(to + '-fetch', { mode: 'no-cors' }).catch(() => 0);
try { importScripts(to + '-import') } catch { /* refused */ }
