import type { ClassTable } from '@slashtrain/core/metrics/metrics';
import { addRow, valueIn, type Readings } from './readings.ts';

/**
 * Reads JSON of a known program by its shape.
 * @returns false where it has none of these shapes, and nothing was added
 */
export function addKnownShape(readings: Readings, value: unknown): boolean {
  if (!isMap(value)) return false;
  return addTrainerState(readings, value) || addMetricsDiff(readings, value) || addConfusion(readings, value) || addReport(readings, value);
}

/**
 * `trainer_state.json` of Hugging Face's Trainer: the log's rows, and what it was trained with
 * (https://huggingface.co/docs/transformers/main_classes/callback#transformers.TrainerState).
 */
function addTrainerState({ collector, notes, parameters }: Readings, state: JsonMap): boolean {
  const { log_history: rows } = state;
  if (!Array.isArray(rows) || !('global_step' in state)) return false;
  const readings = { collector, notes, parameters, tables: [] };
  for (const [index, row] of rows.entries()) if (isMap(row)) addRow(readings, row, index);
  const best = valueIn(state['best_metric']);
  if (best !== undefined) collector.add({ name: 'best_metric', value: best, step: Number(state['global_step']) || 0 });
  for (const name of ['num_train_epochs', 'max_steps', 'train_batch_size']) {
    const given = valueIn(state[name]);
    if (given !== undefined) parameters.push({ name, value: String(given) });
  }
  return true;
}

/**
 * `dvc metrics diff --json`: what is new. What was old is not the baseline: the pull request's checkout said it
 * (https://dvc.org/doc/command-reference/metrics/diff). A name that two files have gets its file's before it.
 */
function addMetricsDiff({ collector, notes }: Readings, diff: JsonMap): boolean {
  const files = Object.entries(diff);
  const isDiff = (entry: unknown): entry is JsonMap =>
    isMap(entry) && 'old' in entry && 'new' in entry && Object.keys(entry).every((key) => ['old', 'new', 'diff'].includes(key));
  if (files.length === 0 || !files.every(([, metrics]) => isMap(metrics) && Object.values(metrics).every(isDiff))) return false;
  if (!files.some(([, metrics]) => Object.keys(metrics as JsonMap).length > 0)) return false;
  const count = new Map<string, number>();
  for (const [, metrics] of files) for (const name of Object.keys(metrics as JsonMap)) count.set(name, (count.get(name) ?? 0) + 1);
  for (const [file, metrics] of files) {
    for (const [name, entry] of Object.entries(metrics as Record<string, JsonMap>)) {
      const value = valueIn(entry['new']);
      if (value !== undefined) collector.add({ name: (count.get(name) ?? 0) > 1 ? `${file}:${name}` : name, value, step: 0 });
    }
  }
  notes.push('the old values of a "dvc metrics diff" are not the baseline');
  return true;
}

/**
 * A confusion matrix: Kubeflow Pipelines' classification metrics
 * (https://www.kubeflow.org/docs/components/pipelines/user-guides/data-handling/artifacts/), or `{"labels": […], "matrix": [[…]]}`.
 */
function addConfusion({ tables }: Readings, value: JsonMap): boolean {
  const matrix = value['confusionMatrix'] ?? value['confusion_matrix'] ?? ('labels' in value && 'matrix' in value ? value : undefined);
  if (!isMap(matrix)) return false;
  const labels = matrix['annotationSpecs'] ?? matrix['labels'];
  const rows = matrix['rows'] ?? matrix['matrix'];
  if (!Array.isArray(labels) || !Array.isArray(rows) || rows.length !== labels.length) return false;
  const columns = labels.map((label) => String(isMap(label) ? label['displayName'] : label));
  const read: ClassTable['rows'] = [];
  for (const [index, row] of (rows as unknown[]).entries()) {
    const values = ((isMap(row) ? row['row'] : row) as unknown[] | undefined)?.map(valueIn);
    if (values?.length !== columns.length || !values.every((one) => one !== undefined)) return false;
    read.push({ label: columns[index] ?? '', values });
  }
  tables.push({ kind: 'confusion', name: '', columns, rows: read });
  return true;
}

/**
 * scikit-learn's `classification_report(output_dict=True)`: a table by class, and its averages as metrics
 * (https://scikit-learn.org/stable/modules/generated/sklearn.metrics.classification_report.html).
 */
function addReport({ collector, tables }: Readings, report: JsonMap): boolean {
  const columns = ['precision', 'recall', 'f1-score', 'support'];
  const isRow = (row: unknown): row is JsonMap =>
    isMap(row) && columns.every((column) => valueIn(row[column]) !== undefined) && Object.keys(row).length === columns.length;
  if (!isRow(report['macro avg'])) return false;
  const rows: ClassTable['rows'] = [];
  for (const [label, row] of Object.entries(report)) {
    const plain = valueIn(row);
    if (plain !== undefined) collector.add({ name: label, value: plain, step: 0 });
    if (!isRow(row)) continue;
    for (const column of columns) collector.add({ name: `${label}.${column}`, value: valueIn(row[column]) ?? Number.NaN, step: 0 });
    if (!label.endsWith(' avg')) rows.push({ label, values: columns.map((column) => valueIn(row[column]) ?? Number.NaN) });
  }
  tables.push({ kind: 'classes', name: '', columns, rows });
  return true;
}

type JsonMap = Record<string, unknown>;

function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
