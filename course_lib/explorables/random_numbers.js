// ---- random numbers, the same as in Python: twins of random_bits, uniform and normal in playground/data.py ----

function mixed(bits) {
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function randomBits(seed, stream, count) {
  const start = mixed(mixed(seed) + stream);
  return Array.from({ length: count }, (_, index) => mixed(start + Math.imul(index + 1, 0x9e3779b9)));
}

const uniform = (seed, stream, count) => randomBits(seed, stream, count).map((bits) => bits / 2 ** 32);

// Libraries differ in the last digit of a cosine, so the result is rounded to 24 binary places.
function normal(seed, stream, count) {
  const turns = uniform(seed, stream + 1, count);
  return randomBits(seed, stream, count).map((bits, at) =>
    Math.floor(Math.sqrt(-2 * Math.log((bits + 1) / 2 ** 32)) * Math.cos(2 * Math.PI * turns[at]) * 2 ** 24 + 0.5) / 2 ** 24);
}
