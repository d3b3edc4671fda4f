import { ActionError, describe } from '@slashtrain/core/action/errors';
import { summariseAll } from '@slashtrain/core/metrics/summary';
import { openPrometheus } from '@slashtrain/core/trackers/prometheus';
import { nothingMeasured } from './measured.ts';
import type { Source } from './source.ts';
import type { TrackerOptions } from './tracker.ts';

/**
 * What a model in production does, by queries. A server knows no commits: what is measured is what runs there now.
 * @throws ActionError `input` where no server or no query is named
 */
export function prometheusSource({ subject, url, host }: TrackerOptions, queries: ReadonlyMap<string, string>): Source {
  const { environment, log, signal } = host;
  const own = environment['PROMETHEUS_URL'];
  const address = own ?? url;
  if (address === undefined || address === '')
    throw new ActionError('input', 'input "tracker-url" is empty, and PROMETHEUS_URL is not set');
  if (queries.size === 0) {
    throw new ActionError('input', 'input "queries" is empty, and input "source" has "prometheus"', {
      remedy: 'give a map: queries: "{drift: max(feature_drift)}"',
    });
  }
  const from = own === undefined ? 'input "tracker-url"' : 'PROMETHEUS_URL';
  const prometheus = openPrometheus({ url: address, from, environment, signal, mask: log.mask, onRetry: (why) => log.warning(why) });
  return {
    name: 'prometheus',
    async measure() {
      const measured = nothingMeasured();
      const series = await Promise.all(
        [...queries].map(async ([name, query]) => {
          try {
            return { name, points: [{ step: 0, value: await prometheus.value(query) }] };
          } catch (error) {
            measured.problems.push(describe(error));
            return { name, points: [] };
          }
        }),
      );
      const metrics = summariseAll(series);
      if (metrics.length > 0) measured.runs.push({ id: prometheus.url, source: 'prometheus', sha: subject.sha, parameters: [], metrics });
      return measured;
    },
  };
}
