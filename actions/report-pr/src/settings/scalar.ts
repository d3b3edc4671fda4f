import { oneLine } from '@slashtrain/core/markdown/text';
import { isScalar, isSeq, parseDocument, type Scalar } from 'yaml';

const number = /^([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?)(\d+))?$/u;
const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/u;

/** Whether a value stands there already: numbers by what they are worth, anything else by its letters. */
export function isSame(old: Scalar, value: string): boolean {
  const before = String(old.value);
  return before === value || (number.test(before) && number.test(value) && Number(before) === Number(value));
}

/**
 * A value as it is written in the place of a scalar: in the same quotes, a number as a number, text as text.
 * @param format of the file
 * @returns undefined for a value that cannot stand on one line
 */
export function writtenAs(value: string, old: Scalar, format: 'yaml' | 'json'): string | undefined {
  if (oneLine(value) !== value) return undefined;
  const isText = typeof old.value === 'string';
  if (format === 'json') return isText ? JSON.stringify(value) : jsonOf(value);
  // A double-quoted text of JSON is one of YAML (https://yaml.org/spec/1.2.2/#12-relation-to-json).
  if (old.type === 'QUOTE_DOUBLE') return JSON.stringify(value);
  if (old.type === 'QUOTE_SINGLE') return `'${value.replaceAll("'", "''")}'`;
  const plain = !isText && (numberOf(value) ?? (isWord(value) ? value : undefined));
  return plain || (isPlainText(value) ? value : JSON.stringify(value));
}

function jsonOf(value: string): string {
  if (jsonNumber.test(value) || isWord(value)) return value;
  return JSON.stringify(number.test(value) ? Number(value) : value);
}

function isWord(value: string): boolean {
  return ['true', 'false', 'null'].includes(value);
}

/**
 * A number that YAML 1.1 reads as one as well, as many Python programs do: it wants a point and a sign in `1.0e-5`, and takes
 * a leading zero for octal (https://yaml.org/type/float.html, https://yaml.org/type/int.html).
 */
function numberOf(value: string): string | undefined {
  const match = number.exec(value);
  if (!match) return undefined;
  const [, sign = '', digits = '', exponentSign, exponent] = match;
  const mantissa = digits.replace(/^0+(?=\d)/u, '');
  if (exponent === undefined) return sign + mantissa;
  return `${sign}${mantissa.includes('.') ? mantissa.replace(/\.$/u, '.0') : `${mantissa}.0`}e${exponentSign || '+'}${exponent}`;
}

/** Whether a text without quotes is read as that text, by YAML 1.1 too and within `[…]` too. */
function isPlainText(value: string): boolean {
  return (['1.1', '1.2'] as const).every((version) =>
    [`[${value}]`, `- ${value}`].every((text) => {
      const { contents, errors, warnings } = parseDocument(text, { version, logLevel: 'silent' });
      const [item, ...others] = isSeq(contents) ? contents.items : [];
      return errors.length + warnings.length + others.length === 0 && isScalar(item) && item.type === 'PLAIN' && item.value === value;
    }),
  );
}
