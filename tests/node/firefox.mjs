// Firefox for the tests: one order a line comes in as JSON, one answer a line goes out. Ends when its input ends.
//   {"do": "visitor", "script": b, "preferences": {...}} -> number of a visitor with storage of its own. Preferences are the
//                                                           browser's: they hold for the visitors after it, too
//   {"do": "open", "visitor": n, "url": u}        -> the address it ended at
//   {"do": "click", "visitor": n, "selector": s, "frame": f}  in the page, or in the frame that f selects
//   {"do": "press", "visitor": n, "keys": [k]}
//   {"do": "before", "visitor": n, "script": s}   runs ahead of every page
//   {"do": "size", "visitor": n, "width": w, "height": h}
//   {"do": "evaluate", "visitor": n, "script": s} -> its value
//   {"do": "picture", "visitor": n, "path": p}
//   {"do": "cookies", "visitor": n}               -> [{name, domain, path, value}], HttpOnly ones too
//   {"do": "resolved"}                            -> host names looked up since the last time
//   {"do": "leave", "visitor": n}
// Arguments: where Firefox is, and preferences as JSON.
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const [executablePath, preferences] = process.argv.slice(2);
const browser = await puppeteer.launch({
  browser: 'firefox', executablePath, headless: true, protocolTimeout: 60000,
  extraPrefsFirefox: JSON.parse(preferences || '{}'),
  args: ['--remote-allow-system-access'], // preferences change, and scripts go, without another start
});
const visitors = [];

// In the browser's own window, as its settings pages do.
async function inside(expression) {
  const { result: tree } = await browser.connection.send('browsingContext.getTree', { 'moz:scope': 'chrome' });
  const { result } = await browser.connection.send('script.evaluate', {
    expression, awaitPromise: false, target: { context: tree.contexts[0].context },
  });
  if (result.type !== 'success') throw new Error(JSON.stringify(result));
  return result.result.value;
}
await inside(`window.resolved = [];
  Services.obs.addObserver((subject, topic, name) => window.resolved.push(name), 'dns-resolution-request')`);

const orders = {
  async visitor({ script = true, preferences: wanted = {} }) {
    await inside(Object.entries(wanted).map(([name, value]) =>
      `Services.prefs.set${typeof value === 'number' ? 'Int' : 'Bool'}Pref(${JSON.stringify(name)}, ${value})`).join(';'));
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    if (!script) {
      const name = `data:text/html,visitor-${visitors.length}`;
      await page.goto(name);
      await inside(`for (const window of Services.wm.getEnumerator('navigator:browser'))
        for (const one of window.gBrowser.browsers)
          if (one.currentURI.spec === ${JSON.stringify(name)}) one.browsingContext.allowJavascript = false`);
    }
    visitors.push({ context, page });
    return visitors.length - 1;
  },
  async open({ visitor, url }) {
    const { page } = visitors[visitor];
    // Firefox itself says when the page is there: of a page that had many frames puppeteer is never told.
    const order = { context: page.mainFrame()._id, url, wait: 'complete' };
    const loaded = browser.connection.send('browsingContext.navigate', order).catch((failure) => failure);
    const failure = await Promise.race([loaded, new Promise((late) => setTimeout(late, 20000))]); // a part may hold it open
    if (failure instanceof Error && !/abort/i.test(failure.message)) throw failure;
    return page.url();
  },
  async click({ visitor, selector, frame }) {
    const { page } = visitors[visitor];
    const place = frame ? await (await page.waitForSelector(frame, { timeout: 10000 })).contentFrame() : page;
    for (const end = Date.now() + 10000; ; await new Promise((done) => setTimeout(done, 50))) {
      const element = await place.$(selector); // waitForSelector needs the page's own scripts to be allowed
      if (element) return element.click();
      if (Date.now() > end) throw new Error(`nothing is ${selector}`);
    }
  },
  async press({ visitor, keys }) {
    for (const key of keys) await visitors[visitor].page.keyboard.press(key);
  },
  before: async ({ visitor, script }) => void (await visitors[visitor].page.evaluateOnNewDocument(script)),
  size: ({ visitor, width, height }) => visitors[visitor].page.setViewport({ width, height }),
  evaluate: ({ visitor, script }) => visitors[visitor].page.evaluate(script),
  picture: async ({ visitor, path }) => void (await visitors[visitor].page.screenshot({ path })),
  cookies: async ({ visitor }) => // one that has run out stays listed for a while, and is sent to nobody
    (await visitors[visitor].context.cookies()).filter(({ expires }) => expires < 0 || expires > Date.now() / 1000)
      .map(({ name, domain, path, value }) => ({ name, domain, path, value })),
  resolved: async () => JSON.parse(await inside('JSON.stringify(window.resolved.splice(0))')),
  leave: ({ visitor }) => visitors[visitor].context.close(),
};

process.stdout.write('"ready"\n');
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  let answer;
  try {
    answer = { value: await orders[order.do](order) };
  } catch (failure) {
    answer = { failure: String(failure?.stack ?? failure) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
await browser.close();
process.exit(); // whatever was still being waited for
