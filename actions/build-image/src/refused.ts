import { ActionError } from '@slashtrain/core/action/errors';

/** An input that is not allowed, with its name, its value and what is. */
export function refused(name: string, value: string, allowed: string): ActionError {
  return new ActionError('input', `input "${name}" is ${JSON.stringify(value.slice(0, 200))}; allowed: ${allowed}`);
}
