// SHA-256 and SHA-512 (FIPS 180-4): by the browser where it lets us, else by the definition.
// The constants are computed as the standard defines them: fractional parts of roots of the first primes.

const subtle = globalThis.crypto && globalThis.crypto.subtle;

/** @param {Uint8Array} data @returns {Promise<Uint8Array>} */
async function sha256(data) {
  return subtle ? new Uint8Array(await subtle.digest("SHA-256", data)) : sha2(data, 32n);
}

/** @param {Uint8Array} data @returns {Promise<Uint8Array>} */
async function sha512(data) {
  return subtle ? new Uint8Array(await subtle.digest("SHA-512", data)) : sha2(data, 64n);
}

/** The largest integer whose power is at most n. */
function root(n, power) {
  let low = 0n;
  let high = 1n << 90n;
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** power <= n) low = middle;
    else high = middle - 1n;
  }
  return low;
}

const primes = [];
for (let n = 2n; primes.length < 80; n += 1n) {
  if (primes.every((prime) => n % prime)) primes.push(n);
}
const low64 = (1n << 64n) - 1n;
const cubeRoots = primes.map((prime) => root(prime << 192n, 3n) & low64);
const squareRoots = primes.slice(0, 8).map((prime) => root(prime << 128n, 2n) & low64);
const shapes = {
  32: { rounds: 64, s: [[7n, 18n, 3n], [17n, 19n, 10n]], b: [[2n, 13n, 22n], [6n, 11n, 25n]] },
  64: { rounds: 80, s: [[1n, 8n, 7n], [19n, 61n, 6n]], b: [[28n, 34n, 39n], [14n, 18n, 41n]] },
};

function sha2(data, bits) {
  const { rounds, s, b } = shapes[bits];
  const mask = (1n << bits) - 1n;
  const cut = (value) => value >> (64n - bits);
  const turn = (x, n) => ((x >> n) | (x << (bits - n))) & mask;
  const small = (x, [i, j, k]) => turn(x, i) ^ turn(x, j) ^ (x >> k);
  const big = (x, [i, j, k]) => turn(x, i) ^ turn(x, j) ^ turn(x, k);
  const word = Number(bits / 8n);
  const block = word * 16;
  const padded = new Uint8Array(Math.ceil((data.length + 1 + word * 2) / block) * block);
  padded.set(data);
  padded[data.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, data.length * 8);
  const state = squareRoots.map(cut);
  for (let at = 0; at < padded.length; at += block) {
    const w = [];
    for (let i = 0; i < 16; i += 1) {
      let value = 0n;
      for (let j = 0; j < word; j += 1) value = (value << 8n) | BigInt(padded[at + i * word + j]);
      w.push(value);
    }
    for (let i = 16; i < rounds; i += 1) {
      w.push((small(w[i - 2], s[1]) + w[i - 7] + small(w[i - 15], s[0]) + w[i - 16]) & mask);
    }
    let [a, bb, c, d, e, f, g, h] = state;
    for (let i = 0; i < rounds; i += 1) {
      const one = h + big(e, b[1]) + ((e & f) ^ (~e & mask & g)) + cut(cubeRoots[i]) + w[i];
      const two = big(a, b[0]) + ((a & bb) ^ (a & c) ^ (bb & c));
      [h, g, f, e, d, c, bb, a] = [g, f, e, (d + one) & mask, c, bb, a, (one + two) & mask];
    }
    [a, bb, c, d, e, f, g, h].forEach((value, i) => { state[i] = (state[i] + value) & mask; });
  }
  const hex = state.map((value) => value.toString(16).padStart(word * 2, "0")).join("");
  return Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
}
