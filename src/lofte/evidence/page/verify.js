// The receipt verifier, step for step as lofte/evidence/verify.py: a part that was altered is named the same way.

class Altered extends Error {
  constructor(part) {
    super(part);
    this.part = part;
  }
}

const KEYS = ["fact", "index", "kind", "lofte", "policy", "proof", "vkey"];
const FACT_TAG = "lofte/fact/v1\0\0\0";
const WHO_TAG = "lofte/who/v1\0\0\0\0";
const utf8 = new TextEncoder();

function demand(isRight, part) {
  if (!isRight) throw new Altered(part);
}

/** Bytes of standard base64 in its one canonical spelling, else null. */
function base64(text) {
  try {
    const binary = atob(text);
    return btoa(binary) === text ? Uint8Array.from(binary, (sign) => sign.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}

const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));
const isSame = (a, b) => !!a && !!b && a.length === b.length && a.every((byte, i) => byte === b[i]);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** The canonical JSON that was committed to (the subset of RFC 8785 in lofte/kernel/canonical.py). */
function canonical(value) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (typeof value === "string" && value.isWellFormed?.() !== false) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (isObject(value)) {
    const keys = Object.keys(value).sort();
    if (keys.every((key) => /^[\0-\x7f]*$/.test(key))) {
      return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
    }
  }
  throw new TypeError("no canonical form");
}

async function opening(receipt, name, tag) {
  const found = receipt[name];
  if (found === undefined) return null;
  demand(isObject(found) && Object.keys(found).sort().join() === "payload,salt" && isObject(found.payload), name);
  const salt = typeof found.salt === "string" ? base64(found.salt) : null;
  let payload;
  try {
    payload = utf8.encode(canonical(found.payload));
  } catch {
    throw new Altered(name);
  }
  demand(salt && salt.length === 32, name);
  const padding = new Uint8Array(256 - (payload.length % 256));
  padding[0] = 0x80;
  return sha256(concat(utf8.encode(tag), salt, payload, padding));
}

function writeEntry(kind, policy, fact, who) {
  if (!/^[a-z][a-z-]{0,31}$/.test(kind) || !/^[0-9a-f]{0,64}$/.test(policy)) return null;
  const end = who ? `,"w":"${toBase64(who)}"}` : "}";
  return utf8.encode(`{"f":"${toBase64(fact)}","p":"${policy}","t":"${kind}","v":1${end}`);
}

function readEntry(entry) {
  try {
    const found = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(entry));
    const fact = base64(found.f);
    const who = found.w === undefined ? null : base64(found.w);
    return isSame(writeEntry(found.t, found.p, fact, who), entry) ? { kind: found.t, policy: found.p, fact, who } : null;
  } catch {
    return null;
  }
}

/** C2SP signed-note, the key: name+id+base64(type || key). */
async function readKey(vkey) {
  const [, name, id, text] = /^([^+]+)\+([0-9a-f]{8})\+(.*)$/.exec(typeof vkey === "string" ? vkey : "") || [];
  const typed = text ? base64(text) : null;
  demand(typed && typed.length === 33 && typed[0] === 1 && !/\s/u.test(name), "key");
  const hash = await sha256(concat(utf8.encode(`${name}\n`), typed));
  const keyId = hash.subarray(0, 4);
  demand([...keyId].map((byte) => byte.toString(16).padStart(2, "0")).join("") === id, "key");
  return { name, keyId, bytes: typed.subarray(1), vkey };
}

const decimal = (text) => (/^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : NaN);

/** C2SP tlog-proof. */
function readProof(text) {
  demand(typeof text === "string" && text.length < 300000 && text.includes("\n\n"), "proof");
  const gap = text.indexOf("\n\n");
  const lines = text.slice(0, gap).split("\n");
  demand(lines.shift() === "c2sp.org/tlog-proof@v1" && lines.length, "proof");
  let extra = null;
  if (lines[0].startsWith("extra ")) {
    extra = base64(lines.shift().slice(6));
    demand(extra && extra.length <= 65535, "proof");
  }
  demand(lines.length && lines[0].startsWith("index "), "proof");
  const index = decimal(lines.shift().slice(6));
  const path = lines.map(base64);
  demand(Number.isSafeInteger(index) && path.length <= 63 && path.every((hash) => hash && hash.length === 32), "proof");
  return { index, path, extra, checkpoint: text.slice(gap + 2) };
}

/** C2SP tlog-checkpoint, the text of the note. */
function readHead(text) {
  const lines = text.split("\n");
  if (lines.length < 4 || lines.pop() !== "" || lines.some((line) => !line)) return null;
  const size = decimal(lines[1]);
  const root = base64(lines[2]);
  return Number.isSafeInteger(size) && root && root.length === 32 ? { origin: lines[0], size, root } : null;
}

/** C2SP signed-note: the text and its signatures, or null. */
function readNote(signed) {
  const gap = signed.lastIndexOf("\n\n");
  if (gap < 0 || !signed.endsWith("\n") || /[\0-\x09\x0b-\x1f]/.test(signed)) return null;
  const lines = signed.slice(gap + 2, -1).split("\n");
  const signatures = lines.map((line) => {
    const [, name, text] = /^\u2014 ([^\s+]+) (\S+)$/u.exec(line) || [];
    const stamp = text ? base64(text) : null;
    return stamp && stamp.length > 4 ? { name, keyId: stamp.subarray(0, 4), bytes: stamp.subarray(4) } : null;
  });
  return lines.length <= 32 && signatures.every(Boolean) ? { text: signed.slice(0, gap + 1), signatures } : null;
}

/** RFC 9162 section 2.1.3.2. Sizes stay below 2**53, where numbers are exact. */
async function rootOf(entry, index, size, path) {
  if (index >= size) return null;
  let found = await sha256(concat(Uint8Array.of(0), entry));
  let [fn, sn] = [index, size - 1];
  for (const sibling of path) {
    if (sn === 0) return null;
    if (fn % 2 || fn === sn) {
      found = await sha256(concat(Uint8Array.of(1), sibling, found));
      while (fn % 2 === 0 && fn) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else {
      found = await sha256(concat(Uint8Array.of(1), found, sibling));
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 ? found : null;
}

async function included(proof, head, entries) {
  for (const entry of entries) {
    if (isSame(await rootOf(entry, proof.index, head.size, proof.path), head.root)) return entry;
  }
  return null;
}

async function signedHead(proof, key, entries) {
  const note = readNote(proof.checkpoint);
  const head = readHead(note ? note.text : `${proof.checkpoint.split("\n\n")[0]}\n`);
  demand(head, "checkpoint");
  demand(note, "signature");
  const text = utf8.encode(note.text);
  const known = note.signatures.filter((one) => one.name === key.name && isSame(one.keyId, key.keyId));
  let isRight = known.length > 0;
  for (const one of known) isRight = isRight && await isSignedBy(key.bytes, one.bytes, text);
  if (!isRight) {
    demand(head.origin === key.name && await included(proof, head, entries), "checkpoint");
    const named = note.signatures.filter((one) => one.name === key.name);
    let isOther = named.length > 0 && !known.length;
    for (const one of named) isOther = isOther && !await isSignedBy(key.bytes, one.bytes, text);
    throw new Altered(isOther ? "key" : "signature");
  }
  demand(head.origin === key.name, "checkpoint");
  return head;
}

/**
 * What a receipt shows. Throws Altered with the part that was altered.
 * @param {string} text the receipt's JSON
 * @param {string} givenKey the log's key as known from elsewhere, or empty
 */
async function verifyReceipt(text, givenKey) {
  let receipt;
  try {
    receipt = JSON.parse(text);
  } catch {
    throw new Altered("format");
  }
  demand(isObject(receipt) && receipt.lofte === "receipt/1", "format");
  const keys = Object.keys(receipt).filter((name) => name !== "who").sort();
  demand(keys.join() === KEYS.join(), "format");
  const key = await readKey(receipt.vkey);
  demand(!givenKey || givenKey.trim() === key.vkey, "key");
  const proof = readProof(receipt.proof);
  demand(receipt.index === proof.index, "index");
  const fact = await opening(receipt, "fact", FACT_TAG);
  const who = await opening(receipt, "who", WHO_TAG);
  const stated = proof.extra && readEntry(proof.extra);
  const rebuilt = writeEntry(receipt.kind, receipt.policy, fact, who || (stated && stated.who));
  const entries = [proof.extra, rebuilt].filter(Boolean);
  const head = await signedHead(proof, key, entries);
  const entry = await included(proof, head, entries);
  const logged = entry && readEntry(entry);
  demand(logged, "proof");
  demand(receipt.kind === logged.kind, "kind");
  demand(receipt.policy === logged.policy, "policy");
  demand(isSame(fact, logged.fact), "fact");
  demand(!who || isSame(who, logged.who), "who");
  demand(!proof.extra || isSame(proof.extra, rebuilt), "proof");
  return {
    index: proof.index, size: head.size, kind: logged.kind, policy: logged.policy, fact: receipt.fact.payload,
    who: who ? receipt.who.payload : null, hasWho: !!logged.who, origin: head.origin, root: toBase64(head.root), vkey: key.vkey,
  };
}
