// The page: reads the receipt it carries, or another that is dropped, chosen or pasted, verifies it and says so in words.
// Text only ever enters the page as text (Trusted Types are required and no policy exists).

const words = JSON.parse(document.getElementById("words").textContent);
const names = JSON.parse(document.getElementById("names").textContent);
const locale = document.documentElement.lang;
const byId = (id) => document.getElementById(id);
const LARGEST = 400000;
let shownText = byId("receipt").textContent;
let turn = 0;

function say(key, slots = {}) {
  return (words[key] || "").replace(/\{([a-z_]+)\}/g, (_, name) => slots[name]);
}

function make(tag, text, className) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function row(name, value) {
  const term = make("dt", name);
  const description = make("dd");
  description.append(...(Array.isArray(value) ? value : [value]));
  return [term, description];
}

const inCode = (text) => make("code", text);

function instant(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const made = make("time", `${new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" }).format(at)} UTC`);
  made.dateTime = text;
  return made;
}

function placeName(type, code) {
  try {
    const name = new Intl.DisplayNames(locale, { type }).of(code);
    return name === code ? code : name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
  } catch {
    return code;
  }
}

function choices(value) {
  const list = make("ul", undefined, "choices");
  for (const [purpose, isGranted] of Object.entries(value)) {
    const item = make("li", undefined, isGranted ? "granted" : "refused");
    item.append(make("span", say(isGranted ? "value.granted" : "value.refused"), "verdict"), ` ${names[purpose] || purpose}`);
    list.append(item);
  }
  return list;
}

/** One recorded value in words; what has no words of its own is shown as it was recorded. */
function readable(name, value) {
  if (name === "choices" && isObject(value)) return choices(value);
  if (typeof value === "boolean") return say(value ? "value.yes" : "value.no");
  if (typeof value === "number") return new Intl.NumberFormat(locale).format(value);
  if (typeof value !== "string") return inCode(JSON.stringify(value));
  if (words[`value.${name}.${value}`]) return say(`value.${name}.${value}`);
  if (/^\d{4}-\d\d-\d\dT[\d:]+Z$/.test(value)) return instant(value);
  if (name === "market") return placeName("region", value);
  if (name === "locale") return placeName("language", value);
  if (name === "purpose" && names[value]) return names[value];
  return /^[0-9a-f]{32,}$/.test(value) ? inCode(value) : value;
}

const FIRST = ["event", "action", "purpose", "choices", "at", "market", "locale", "method"];
const rank = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);

function rows(value) {
  const keys = Object.keys(value).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return keys.flatMap((name) => row(words[`field.${name}`] || name, readable(name, value[name])));
}

function showRecorded(kind, fact, who, hasWho) {
  byId("kind").textContent = words[`kind.${kind}`] || kind;
  byId("facts").replaceChildren(...rows(fact));
  byId("who").replaceChildren(...(who ? rows(who) : []));
  byId("who-said").textContent = say(who ? "who.open" : hasWho ? "who.sealed" : "who.none");
}

function showProof(found) {
  byId("proof").replaceChildren(
    ...row(say("proof.index"), new Intl.NumberFormat(locale).format(found.index)),
    ...row(say("proof.size"), new Intl.NumberFormat(locale).format(found.size)),
    ...row(say("proof.log"), inCode(found.origin)),
    ...(found.policy ? row(say("proof.policy"), inCode(found.policy)) : []),
    ...row(say("proof.root"), inCode(found.root)),
    ...row(say("proof.key"), inCode(found.vkey)),
  );
}

function showStatus(state, title, text) {
  byId("status").dataset.state = state;
  byId("status-title").textContent = title;
  byId("status-text").textContent = text;
}

async function check(text) {
  turn += 1;
  const mine = turn;
  const givenKey = byId("given-key").value.trim();
  shownText = text;
  showStatus("checking", say("status.checking"), "");
  let found;
  let part;
  try {
    found = await verifyReceipt(text, givenKey);
  } catch (wrong) {
    part = wrong instanceof Altered ? wrong.part : "format";
  }
  if (mine !== turn) return; // another receipt came meanwhile
  byId("recorded").hidden = byId("proved").hidden = !found;
  byId("raw").textContent = pretty(text);
  document.title = byId("heading").textContent = found ? `${say("title")} ${found.index}` : say("title");
  if (found) {
    showStatus("holds", say("status.holds.title"), say(givenKey ? "status.holds.key" : "status.holds.text", { log: found.origin }));
    showRecorded(found.kind, found.fact, found.who, found.hasWho);
    showProof(found);
  } else {
    showStatus("altered", say("status.altered.title"), say(`part.${part}`));
    byId("status").dataset.part = part;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text.slice(0, 2000);
  }
}

/** The receipt inside a file: its JSON, or a page such as this one. */
function receiptIn(text) {
  if (!text.trimStart().startsWith("<")) return text;
  const held = /<script type="application\/json" id="receipt">([^<]*)<\/script>/.exec(text);
  return held ? held[1] : "";
}

async function checkFile(file) {
  if (!file) return;
  if (file.size > LARGEST) {
    showStatus("altered", say("status.altered.title"), say("part.format"));
    return;
  }
  await check(receiptIn(await file.text()));
}

function listen() {
  byId("file").addEventListener("change", (event) => checkFile(event.target.files[0]));
  byId("check").addEventListener("click", () => check(receiptIn(byId("pasted").value)));
  byId("given-key").addEventListener("change", () => check(shownText));
  const drop = byId("drop");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    checkFile(event.dataTransfer.files[0]);
  });
}

for (const hidden of document.querySelectorAll(".needs-script")) hidden.hidden = false;
listen();
check(shownText);
