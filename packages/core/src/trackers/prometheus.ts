import { ActionError } from '../action/errors.ts';
import { openJson, understanding, type JsonClientOptions } from './http.ts';

/** A Prometheus server, read only. */
export interface Prometheus {
  readonly url: string;
  /** The value of a query that gives one, now. @throws ActionError `not-found` for none, `input` for several */
  value(query: string): Promise<number>;
}

/**
 * Opens a server by its HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries), as
 * `PROMETHEUS_TOKEN` where there is one.
 */
export function openPrometheus(
  options: Pick<JsonClientOptions, 'url' | 'from' | 'signal' | 'wait' | 'onRetry'> & {
    environment: NodeJS.ProcessEnv;
    mask(secret: string): void;
  },
): Prometheus {
  const token = options.environment['PROMETHEUS_TOKEN'];
  if (token) options.mask(token);
  const json = openJson({
    ...options,
    tracker: 'Prometheus',
    credentials: 'PROMETHEUS_TOKEN',
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
  return understanding('Prometheus', json.url, {
    url: json.url,
    async value(query) {
      const { data } = (await json.get('/api/v1/query', [['query', query]])) as { data?: { resultType?: string; result?: unknown } };
      const shown = JSON.stringify(query.slice(0, 200));
      const found =
        data?.resultType === 'scalar' ? [data.result] : ((data?.result ?? []) as { value?: unknown }[]).map(({ value }) => value);
      if (found.length === 0) throw new ActionError('not-found', `the query ${shown} gives nothing on ${json.url}`);
      if (found.length > 1) {
        throw new ActionError('input', `the query ${shown} gives ${found.length} series on ${json.url}; allowed: one`, {
          remedy: 'choose one by labels, or put avg(…) or max(…) around it',
        });
      }
      return sampleOf(found[0]);
    },
  });
}

/** `[time, "value"]`, where the value may be NaN, +Inf or -Inf. */
function sampleOf(sample: unknown): number {
  const text = Array.isArray(sample) ? String(sample[1]) : '';
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return text === '' ? Number.NaN : Number(text);
}
