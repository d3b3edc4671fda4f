import type { Argument, ArgumentValue } from './types.ts';

const longestText = 1024;
const number = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/u;
const integer = /^(?:0|-?[1-9][0-9]*)$/u;

/** What an argument may be, in words: `a whole number from 1 to 100`. */
export function allowedFor(argument: Argument): string {
  const { type, options, min, max, pattern } = argument;
  const range = (): string => {
    if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
    if (min !== undefined) return ` from ${min}`;
    return max === undefined ? '' : ` up to ${max}`;
  };
  const matching = pattern ? ` that matches ${pattern.source.slice(4, -2)}` : '';
  switch (type) {
    case 'integer':
      return `a whole number${range()}`;
    case 'number':
      return `a number${range()}`;
    case 'boolean':
      return 'true or false';
    case 'choice':
      return `one of ${options?.join(', ')}`;
    case 'sha':
      return 'a full commit SHA of 40 hexadecimal digits in lower case';
    case 'duration':
      return 'a whole number with a unit, such as 90s, 15m, 2h or 3d';
    case 'list':
      return `a list with commas between its items${options ? `, each one of ${options.join(', ')}` : ''}${range() && `, of ${range().trim()} items`}${matching && `, each a text${matching}`}`;
    case 'string':
      return `a text of ${min ?? 0} to ${max ?? longestText} characters${matching}`;
  }
}

/**
 * A value as it was written, as the argument's type. Nothing is converted that the type does not say.
 * @returns undefined where it is not allowed; {@link allowedFor} says what is
 */
export function parseValue(argument: Argument, text: string): ArgumentValue | undefined {
  const value = readAs(argument, text);
  return value !== undefined && checkValue(argument, value) === undefined ? value : undefined;
}

function readAs({ type }: Argument, text: string): ArgumentValue | undefined {
  switch (type) {
    case 'integer':
      return integer.test(text) ? Number(text) : undefined;
    case 'number':
      // -0 is 0: JSON has but one.
      return number.test(text) ? Number(text) + 0 : undefined;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'list':
      return text === '' ? [] : text.split(',');
    default:
      return text;
  }
}

/** @returns undefined where `value` is allowed, else what is */
export function checkValue(argument: Argument, value: unknown): string | undefined {
  const { type, options, min = -Infinity, max = Infinity, pattern } = argument;
  const within = (size: number): boolean => size >= min && size <= max;
  const fits = (): boolean => {
    switch (type) {
      case 'integer':
        return Number.isSafeInteger(value) && within(value as number);
      case 'number':
        return Number.isFinite(value) && within(value as number);
      case 'boolean':
        return typeof value === 'boolean';
      case 'choice':
        return typeof value === 'string' && options !== undefined && options.includes(value);
      case 'sha':
        return typeof value === 'string' && /^[0-9a-f]{40}$/u.test(value);
      case 'duration':
        return typeof value === 'string' && /^[1-9][0-9]{0,8}[smhd]$/u.test(value);
      case 'list':
        return (
          Array.isArray(value) &&
          within(value.length) &&
          value.every(
            (item) =>
              typeof item === 'string' &&
              item !== '' &&
              item.length <= longestText &&
              (!options || options.includes(item)) &&
              (!pattern || pattern.test(item)),
          )
        );
      case 'string':
        return (
          typeof value === 'string' &&
          within(value.length) &&
          value.length <= Math.min(max, longestText) &&
          (!pattern || pattern.test(value))
        );
    }
  };
  return fits() ? undefined : allowedFor(argument);
}
