import type { ClassTable, RunArtifact } from '../../../metrics/metrics.ts';
import { isFields, type Fields } from '../../../kinds/fields.ts';
import type { Artifact } from './store.ts';

/** What a run's artifacts say: numbers and places by name, tables by class. */
export interface Measures {
  outputs: { name: string; value: string }[];
  tables: ClassTable[];
  /** Where the artifacts are, and what each was made from. */
  artifacts: RunArtifact[];
}

// A curve of thousands of points is a picture; a table of it is not read.
const mostReadings = 20;
// They stand in the run's record, which every list reads.
const mostArtifacts = 100;
const mostInputs = 20;
const longestUri = 1_000;

/**
 * Metrics, confusion matrices, ROC curves and places of a run's artifacts. A metric has its own name where only one task logged it,
 * else `task/name`; the place of an artifact is `task.artifact`. The area below a ROC curve is by trapezoids between its readings.
 */
export function measuresOf(artifacts: readonly Artifact[]): Measures {
  const metrics: { task: string; name: string; value: number }[] = [];
  const tables: ClassTable[] = [];
  for (const { task, name, type, properties } of artifacts) {
    const own = Object.fromEntries(properties);
    // Numbers beside other artifacts are whatever people noted there.
    const isMetrics = type === 'system.Metrics' || type === '';
    for (const [key, value] of isMetrics ? properties : []) if (typeof value === 'number') metrics.push({ task, name: key, value });
    for (const { title, slice, metadata } of [{ title: `${task}.${name}`, slice: '', metadata: own }, ...slicesOf(task, name, own)]) {
      const matrix = matrixOf(title, metadata);
      if (matrix) tables.push(matrix);
      const curve = curveOf(metadata);
      if (curve.length < 2) continue;
      metrics.push({ task, name: slice === '' ? `${name}.auc` : `${name}.auc/${slice}`, value: areaBelow(curve) });
      tables.push({
        kind: 'classes',
        name: `${title}, ROC`,
        columns: ['false positive rate', 'true positive rate'],
        rows: thinned(curve).map(({ threshold, fpr, tpr }) => ({ label: `≥ ${threshold}`, values: [fpr, tpr] })),
      });
    }
  }
  const count = new Map<string, number>();
  for (const { name } of metrics) count.set(name, (count.get(name) ?? 0) + 1);
  const places = artifacts
    .filter(({ uri, task }) => uri !== '' && task !== '')
    .map(({ task, name, uri }) => ({ name: `${task}.${name}`, value: uri }));
  return {
    outputs: [
      ...metrics.map(({ task, name, value }) => ({ name: (count.get(name) ?? 0) > 1 ? `${task}/${name}` : name, value: String(value) })),
      ...places,
    ],
    tables,
    artifacts: artifacts
      .filter(({ task, uri }) => task !== '' && uri.length <= longestUri)
      .slice(0, mostArtifacts)
      .map(asLineage),
  };
}

function asLineage({ task, name, type, uri, from, isCached }: Artifact): RunArtifact {
  return { name: `${task}.${name}`, type, uri, from: from.slice(0, mostInputs), ...(isCached ? { cached: true } : {}) };
}

interface Reading {
  threshold: number;
  tpr: number;
  fpr: number;
}

function slicesOf(task: string, name: string, own: Fields): { title: string; slice: string; metadata: Fields }[] {
  const slices = own['evaluationSlices'];
  return (Array.isArray(slices) ? slices : [])
    .filter(isFields)
    .flatMap(({ slice, sliceClassificationMetrics: metadata }) =>
      typeof slice === 'string' && isFields(metadata) ? [{ title: `${task}.${name}, ${slice}`, slice, metadata }] : [],
    );
}

/** As `log_confusion_matrix` writes it: rows are the true classes. */
function matrixOf(name: string, { confusionMatrix: matrix }: Fields): ClassTable | undefined {
  if (!isFields(matrix) || !Array.isArray(matrix['annotationSpecs']) || !Array.isArray(matrix['rows'])) return undefined;
  const columns = matrix['annotationSpecs'].map((one) => String(isFields(one) ? one['displayName'] : ''));
  const rows = matrix['rows'].map((one, index) => ({ label: columns[index] ?? '', values: isFields(one) ? numbersIn(one['row']) : [] }));
  const fits = rows.length === columns.length && rows.every(({ values }) => values.length === columns.length);
  return fits && columns.length > 0 ? { kind: 'confusion', name, columns, rows } : undefined;
}

/** As `log_roc_curve` writes it, by rising false positive rate. */
function curveOf({ confidenceMetrics: readings }: Fields): Reading[] {
  return (Array.isArray(readings) ? readings : [])
    .filter(isFields)
    .map(({ confidenceThreshold, recall, falsePositiveRate }) => ({
      threshold: Number(confidenceThreshold ?? 0),
      tpr: Number(recall ?? 0),
      fpr: Number(falsePositiveRate ?? 0),
    }))
    .filter(({ tpr, fpr }) => Number.isFinite(tpr) && Number.isFinite(fpr))
    .toSorted((a, b) => a.fpr - b.fpr || a.tpr - b.tpr);
}

function areaBelow(curve: readonly Reading[]): number {
  return curve.slice(1).reduce((sum, { fpr, tpr }, index) => {
    const before = curve[index] ?? { fpr, tpr };
    return sum + ((fpr - before.fpr) * (tpr + before.tpr)) / 2;
  }, 0);
}

function thinned<T>(all: readonly T[]): T[] {
  const every = Math.max(1, Math.ceil((all.length - 1) / (mostReadings - 1)));
  return all.filter((_, index) => index % every === 0 || index === all.length - 1);
}

function numbersIn(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'number') : [];
}
