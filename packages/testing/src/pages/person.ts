import type { Account } from '../github/store.ts';
import { markup, type Markup } from './markup.ts';

/** A round letter instead of a picture, with a colour of its own. */
export function avatar({ login }: Pick<Account, 'login'>): Markup {
  const hue = Buffer.from(login).reduce((sum, byte) => (sum * 31 + byte) % 360, 7);
  return markup`<svg class="avatar" viewBox="0 0 32 32" aria-hidden="true">
    <circle cx="16" cy="16" r="16" fill="hsl(${hue} 45% 45%)" />
    <text x="16" y="21.5" text-anchor="middle">${(login[0] ?? '?').toUpperCase()}</text>
  </svg>`;
}

export function person(account: Account): Markup {
  const bot = account.type === 'Bot';
  return markup`<strong class="person">${account.login.replace(/\[bot\]$/u, '')}</strong>${bot ? markup` <span class="tag">bot</span>` : ''}`;
}
