import { describe, expect, it } from '@jest/globals';
import { links, story, stories } from './report/examples.ts';
import { reportSections } from './report/report.ts';
import type { Story } from './story.ts';
import { readTemplate } from './template.ts';

async function render(text: string, one: Story = story()): Promise<string> {
  const template = await readTemplate(text, 'report.md');
  return template(one, reportSections(one, [], links, { charts: 'none', command: '/train' }));
}

describe('a template', () => {
  it.each([
    ['{{ headline.sign }} {{ title }}: {{ headline.words }}', '✅ digits: Better than the baseline'],
    ['{{ headline.why }}', '`accuracy` is **0.961**, was 0.953: +0.008 (+0.84 %). One run a side: part of it may be chance.'],
    ['{% for one in metrics limit: 2 %}{{ one.name }} {{ one.value }} {{ one.gate }};{% endfor %}', 'accuracy 0.961 pass;loss 0.12 pass;'],
    ['{% for one in parameters %}{{ one.name }}={{ one.value }}{% endfor %}', 'epochs=20'],
    ['#{{ pull_request }} {{ verdict }} {{ run.gpu_hours }}', '#42 pass 0.2'],
    ['{% if verdict == "pass" %}ship it{% else %}wait{% endif %}', 'ship it'],
  ])('%s', async (text, expected) => {
    expect(await render(text)).toBe(expected);
  });

  it('has the sections of the report', async () => {
    expect(await render('{{ sections.metrics }}')).toMatch(/^\| Metric \| This commit/u);
    expect(await render('{{ sections.how_to_repeat }}')).toContain('/train epochs=20');
  });

  it.each([
    ['{{ title }}'],
    ['{{ title | raw }}'],
    ['{{ title | upcase | downcase }}'],
    ['{% capture x %}{{ title }}{% endcapture %}{{ x }}'],
    ['{% assign x = title %}{{ x }}'],
    ['{% for one in metrics %}{{ one.name }}{% endfor %}'],
    ['{{ metrics | map: "name" | join: "," }}'],
    ['{{ sections.metrics | append: title }}'],
  ])('puts hostile text out as text: %s', async (text) => {
    expect(await render(text, stories['hostile'])).not.toMatch(/<img|<td|<\/td|@octocat|\|b`/u);
  });

  it.each([
    ['{{ title', 'report.md: output "{{ title" not closed, line:1, col:1'],
    ['\n{{ titel }}', 'report.md: undefined variable: titel, line:2, col:4'],
    ['{{ title | nothing }}', 'report.md: undefined filter: nothing, line:1, col:1'],
    ['{% echo title %}', 'report.md: tag "echo" not found, line:1, col:1'],
    ['{% cycle title %}', 'report.md: tag "cycle" not found'],
    ['{% include "/etc/passwd" %}', 'report.md: tag "include" not found'],
    ['{% liquid echo title %}', 'report.md: tag "liquid" not found'],
    ['{{ title.constructor }}', 'report.md: undefined variable: title.constructor'],
    ['{% for a in (1..100000000) %}x{% endfor %}', 'report.md: memory alloc limit exceeded'],
  ])('that is wrong is refused with its line: %s', async (text, message) => {
    await expect(render(text)).rejects.toMatchObject({ code: 'config', message: expect.stringContaining(message) as unknown });
  });
});
