import { ActionError } from './errors.ts';

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/**
 * Reads a duration with its unit: `90s`, `15m`, `2h`, `3d`.
 * @param where how the error names the place, e.g. `input "timeout"`
 * @returns seconds, a positive integer
 * @throws ActionError `input`
 */
export function parseDuration(text: string, where: string): number {
  const match = /^([1-9][0-9]{0,8})([smhd])$/u.exec(text.trim());
  if (!match) {
    throw new ActionError('input', `${where} is "${text}", which is no duration`, {
      remedy: 'write a whole number with a unit, such as 90s, 15m, 2h or 3d',
    });
  }
  return Number(match[1]) * unitSeconds[match[2] as keyof typeof unitSeconds];
}

/** Seconds as people say them, with the two largest units: `2 h 5 min`, `42 s`, `0.3 s`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}
