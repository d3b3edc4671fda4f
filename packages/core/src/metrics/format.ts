/** A metric's value as people read it: at most `digits` significant digits, an exponent only where there is no other way. */
export function formatValue(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return withMinus(String(value));
  if (size < 1e-4 || size >= 1e6)
    return withMinus(
      value
        .toExponential(digits - 1)
        .replace(/\.?0+(?=e)/u, '')
        .replace('e+', 'e'),
    );
  const text = value.toPrecision(Math.max(digits, Math.floor(Math.log10(size)) + 1));
  return withMinus(text.includes('.') ? text.replace(/\.?0+$/u, '') : text);
}

/**
 * Two values side by side, with as many digits as it takes to tell them apart, up to all that they have.
 */
export function formatPair(a: number, b: number): [string, string] {
  for (let digits = 4; digits <= 17; digits++) {
    const [first, second] = [formatValue(a, digits), formatValue(b, digits)];
    if (first !== second || Object.is(a, b)) return [first, second];
  }
  return [formatValue(a, 17), formatValue(b, 17)];
}

/** From one value to another, with the share where there is one: `+0.008 (+0.84 %)`, `±0`. */
export function formatChange(from: number, to: number): string {
  if (Object.is(from, to) || from === to) return '±0';
  const change = to - from;
  if (!Number.isFinite(change)) return `${formatValue(from)} → ${formatValue(to)}`;
  const share = (change / Math.abs(from)) * 100;
  const words = Number.isFinite(share) && Math.abs(share) < 1000 ? ` (${signed(share, 2)} %)` : '';
  return `${signed(change, 3)}${words}`;
}

function signed(value: number, digits: number): string {
  // Differences of decimal fractions have tails such as 0.010000000000000009.
  const text = formatValue(Number(value.toPrecision(digits)), digits);
  return value > 0 ? `+${text}` : text;
}

// The minus sign is as wide as the plus sign, and begins no list.
function withMinus(text: string): string {
  return text.replace(/^-/u, '−');
}
