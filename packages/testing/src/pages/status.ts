import { markup, type Markup } from './markup.ts';

/** How something went, whatever it is: the page has one colour and one sign for each. */
export type Tone = 'good' | 'bad' | 'pending' | 'off';

const signs: Record<Tone, string> = {
  good: 'M13.78 4.22a.75.75 0 0 1 0 1.06l-7.25 7.25a.75.75 0 0 1-1.06 0L2.22 9.28a.75.75 0 0 1 1.06-1.06L6 10.94l6.72-6.72a.75.75 0 0 1 1.06 0Z',
  bad: 'M3.72 3.72a.75.75 0 0 1 1.06 0L8 6.94l3.22-3.22a.75.75 0 1 1 1.06 1.06L9.06 8l3.22 3.22a.75.75 0 1 1-1.06 1.06L8 9.06l-3.22 3.22a.75.75 0 0 1-1.06-1.06L6.94 8 3.72 4.78a.75.75 0 0 1 0-1.06Z',
  pending: 'M8 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8Z',
  off: 'M3 7.25h10a.75.75 0 0 1 0 1.5H3a.75.75 0 0 1 0-1.5Z',
};

/** A sign with its words, for those who do not see it too. */
export function sign(tone: Tone, words: string): Markup {
  return markup`<svg class="sign ${tone}" viewBox="0 0 16 16" role="img" aria-label="${words}">
    <title>${words}</title>
    <path d="${signs[tone]}" />
  </svg>`;
}

/** Of a check run, a job, a step, a workflow run. GitHub shows neutral and skipped grey, and lets them pass. */
export function toneOf(status: string, conclusion: string | undefined): Tone {
  if (status !== 'completed') return 'pending';
  if (conclusion === 'success') return 'good';
  return conclusion === 'neutral' || conclusion === 'skipped' || conclusion === 'cancelled' ? 'off' : 'bad';
}

export function wordsOf(status: string, conclusion: string | undefined): string {
  return (status === 'completed' ? (conclusion ?? 'completed') : status).replaceAll('_', ' ');
}

export function statusSign({ status, conclusion }: { status: string; conclusion?: string | undefined }): Markup {
  return sign(toneOf(status, conclusion), wordsOf(status, conclusion));
}

/** The worst of several, as beside a commit. */
export function summaryTone(all: readonly { status: string; conclusion?: string | undefined }[]): Tone {
  const tones = all.map(({ status, conclusion }) => toneOf(status, conclusion));
  for (const tone of ['bad', 'pending', 'good'] as const) if (tones.includes(tone)) return tone;
  return 'off';
}
