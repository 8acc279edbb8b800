// Firefox for the tests: one order a line comes in as JSON, one answer a line goes out. Ends when its input ends.
//   {"do": "visitor"}                             -> number of a visitor with storage of its own
//   {"do": "open", "visitor": n, "url": u}        -> the address it ended at
//   {"do": "click", "visitor": n, "selector": s}
//   {"do": "evaluate", "visitor": n, "script": s} -> its value
//   {"do": "cookies", "visitor": n}               -> [{name, domain, path, value}], HttpOnly ones too
//   {"do": "leave", "visitor": n}
// Arguments: where Firefox is, and preferences as JSON.
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const [executablePath, preferences] = process.argv.slice(2);
const browser = await puppeteer.launch({
  browser: 'firefox', executablePath, headless: true, protocolTimeout: 60000,
  extraPrefsFirefox: JSON.parse(preferences || '{}'),
});
const visitors = [];

const orders = {
  async visitor() {
    const context = await browser.createBrowserContext();
    visitors.push({ context, page: await context.newPage() });
    return visitors.length - 1;
  },
  async open({ visitor, url }) {
    const { page } = visitors[visitor];
    await page.goto(url, { waitUntil: 'load', timeout: 20000 }).catch((slow) => {
      if (slow.name !== 'TimeoutError') throw slow; // a page held open by one of its parts is seen all the same
    });
    return page.url();
  },
  async click({ visitor, selector }) {
    const element = await visitors[visitor].page.waitForSelector(selector, { timeout: 10000 });
    await element.click();
  },
  evaluate: ({ visitor, script }) => visitors[visitor].page.evaluate(script),
  cookies: async ({ visitor }) =>
    (await visitors[visitor].context.cookies()).map(({ name, domain, path, value }) => ({ name, domain, path, value })),
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
