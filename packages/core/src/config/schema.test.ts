import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configSchema } from './schema.ts';

describe('the published schema', () => {
  it('is what the action checks with (pnpm generate writes it)', () => {
    const published = readFileSync(join(import.meta.dirname, '../../schemas/slashtrain.schema.json'), 'utf8');
    expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(configSchema)));
  });
});
