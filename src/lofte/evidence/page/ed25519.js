// Ed25519 verification (RFC 8032 section 5.1.7): by the browser where it can, else by the definition.
// Nothing here is secret, so the plain arithmetic need not run in constant time.

/** @returns {Promise<boolean>} whether the signature (64 bytes) of the text is by this public key (32 bytes) */
async function isSignedBy(publicKey, signature, text) {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  if (subtle) {
    try {
      const key = await subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
      return await subtle.verify("Ed25519", key, signature, text);
    } catch {
      // an older browser without Ed25519: go on below
    }
  }
  return isSignedByDefinition(publicKey, signature, text);
}

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (n) => ((n % P) + P) % P;

function power(base, exponent) {
  let found = 1n;
  for (let factor = mod(base); exponent; exponent >>= 1n) {
    if (exponent & 1n) found = found * factor % P;
    factor = factor * factor % P;
  }
  return found;
}

const inverse = (n) => power(n, P - 2n);
const D = mod(-121665n * inverse(121666n));
const I = power(2n, (P - 1n) / 4n);

const fromLittle = (bytes) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** The point of 32 bytes in extended coordinates, or null (RFC 8032 section 5.1.3). */
function decode(bytes) {
  const all = fromLittle(bytes);
  const y = all & ((1n << 255n) - 1n);
  const sign = all >> 255n;
  if (y >= P) return null;
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  let x = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n));
  if (mod(v * x * x) !== u) x = mod(x * I);
  if (mod(v * x * x) !== u || (x === 0n && sign)) return null;
  if ((x & 1n) !== sign) x = mod(-x);
  return [x, y, 1n, mod(x * y)];
}

/** RFC 8032 section 5.1.4. */
function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * t1 * t2 * D);
  const d = mod(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function times(scalar, point) {
  let sum = [0n, 1n, 1n, 0n];
  for (let factor = point; scalar; scalar >>= 1n) {
    if (scalar & 1n) sum = add(sum, factor);
    factor = add(factor, factor);
  }
  return sum;
}

const BASE = decode(Uint8Array.from({ length: 32 }, (_, i) => (i ? 0x66 : 0x58)));

async function isSignedByDefinition(publicKey, signature, text) {
  const key = decode(publicKey);
  const r = decode(signature.subarray(0, 32));
  const s = fromLittle(signature.subarray(32));
  if (!key || !r || s >= ORDER) return false;
  const hash = await sha512(concat(signature.subarray(0, 32), publicKey, text));
  const [x1, y1, z1] = times(s, BASE);
  const [x2, y2, z2] = add(r, times(fromLittle(hash) % ORDER, key));
  return mod(x1 * z2 - x2 * z1) === 0n && mod(y1 * z2 - y2 * z1) === 0n;
}

function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
