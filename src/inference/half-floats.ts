/** IEEE 754 half-precision numbers as single-precision ones. */
export function readHalves(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, readHalf);
}

function readHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
