import { openMlflow } from '@slashtrain/core/trackers/mlflow';
import { peakOf } from './programs.ts';

/* Reads all runs of an experiment and prints the most memory that it took, in MB: URL EXPERIMENT. */
const [url = '', experiment = ''] = process.argv.slice(2);
const mlflow = openMlflow({ url, from: 'URL', environment: {}, mask: () => undefined });
const experimentIds = await mlflow.experimentIds([experiment]);
let count = 0;
for await (const page of mlflow.searchRuns({ experimentIds })) count += page.length;
if (count === 0) throw new Error(`${url} has no runs in ${experiment}`);
console.log(Math.round(peakOf('self')));
