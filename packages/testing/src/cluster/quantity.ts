// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+|[KMGTPE]i|[numkMGTPE]?)$/u;

const decimal = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

export function isQuantity(text: string): boolean {
  const match = pattern.exec(text);
  return match !== null && (match[2] !== '' || (match[3] ?? '') !== '');
}

/** What it amounts to; NaN for what is none. */
export function amount(text: string): number {
  const parsed = parse(text);
  return parsed ? Number(parsed.nano) / 1e9 : Number.NaN;
}

/** The one form in which the API server writes an amount: `1000m` is `1`, `1024Mi` is `1Gi`, `0.5` is `500m`. */
export function normalise(text: string): string {
  const parsed = parse(text);
  if (!parsed) return text;
  const { nano, form } = parsed;
  if (nano === 0n) return '0';
  if (form === 'binary' && nano % 1_000_000_000n === 0n) {
    let whole = nano / 1_000_000_000n;
    let unit = 0;
    for (; whole % 1024n === 0n && unit < binary.length - 1; unit++) whole /= 1024n;
    return `${whole}${binary[unit]}`;
  }
  let rest = nano;
  let unit = 0;
  for (; rest % 1000n === 0n && unit < decimal.length - 1; unit++) rest /= 1000n;
  return form === 'exponent' && unit !== 3 ? `${rest}e${(unit - 3) * 3}` : `${rest}${decimal[unit]}`;
}

/** In thousand-millionths: less is rounded up, as upstream does. */
function parse(text: string): { nano: bigint; form: 'binary' | 'decimal' | 'exponent' } | undefined {
  const match = pattern.exec(text);
  if (!match || !isQuantity(text)) return undefined;
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  const digits = BigInt(whole + fraction || '0');
  const signed = sign === '-' ? -digits : digits;
  const isBinary = suffix.endsWith('i');
  const isExponent = /^[eE][+-]?\d/u.test(suffix);
  const shift = isExponent ? Number(suffix.slice(1)) : isBinary ? 0 : (decimal.indexOf(suffix) - 3) * 3;
  const power = 9 + shift - fraction.length;
  const factor = isBinary ? 1024n ** BigInt(binary.indexOf(suffix)) : 1n;
  const scaled = signed * factor;
  const nano = power >= 0 ? scaled * 10n ** BigInt(power) : (scaled + 10n ** BigInt(-power) - 1n) / 10n ** BigInt(-power);
  return { nano, form: isBinary ? 'binary' : isExponent ? 'exponent' : 'decimal' };
}
