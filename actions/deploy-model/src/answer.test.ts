import { expect, it } from '@jest/globals';
import { ActionError } from '@slashtrain/core/action/errors';
import { failureMarkdown } from './answer.ts';

const told = { name: 'digits', environment: 'staging', log: 'https://github.com/acme/digits/actions/runs/7' };

it('says why, what to do, and that nothing was changed', () => {
  const cause = new ActionError('gate-failed', 'the run of 1a2b3c4 has the verdict "fail"', { remedy: 'make it better' });
  expect(failureMarkdown({ ...told, cause, now: undefined })).toBe(
    '**`digits` was not deployed to `staging`:** The run of 1a2b3c4 has the verdict "fail". Make it better.\n\n' +
      `Nothing was changed. [Log](${told.log})`,
  );
});

it('says what runs now, and shows a container’s last lines as text', () => {
  const cause = new ActionError('run-failed', 'CrashLoopBackOff: container model\nits last lines:\n```\n<img src=x> @everybody');
  const text = failureMarkdown({ ...told, cause, now: 'now 1a2b3c4-t5k2x9 runs' });
  expect(text).toContain('Now 1a2b3c4-t5k2x9 runs. [Log]');
  expect(text).toMatch(/\n(`{4,})[^\n]*\nits last lines:\n```\n<img src=x> @everybody\n\1\n/u);
});

it('lets no text of the cluster be markdown', () => {
  const cause = new ActionError('run-failed', '[free](https://evil.example) @team <script>');
  expect(failureMarkdown({ ...told, cause, now: undefined })).not.toMatch(/\[free\]\(|<script>|(^|[^\\w`])@team/u);
});
