import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { convertOn } from '@actions/workflow-parser/model/converter/events';
import { convertJobs } from '@actions/workflow-parser/model/converter/jobs';
import type { EventsConfig } from '@actions/workflow-parser/model/workflow-template';
import { JSONObjectReader } from '@actions/workflow-parser/templates/json-object-reader';
import { TemplateSchema } from '@actions/workflow-parser/templates/schema/index';
import { TemplateContext, TemplateValidationErrors } from '@actions/workflow-parser/templates/template-context';
import { readTemplate } from '@actions/workflow-parser/templates/template-reader';
import { NoOperationTraceWriter } from '@actions/workflow-parser/templates/trace-writer';
import { WORKFLOW_ROOT } from '@actions/workflow-parser/workflows/workflow-constants';
import { YamlObjectReader } from '@actions/workflow-parser/workflows/yaml-object-reader';

/*
 * GitHub's parser, put together from its parts as its own parseWorkflow does: that one imports the schema as JSON without
 * the attribute that Node wants (https://nodejs.org/api/esm.html#json-modules), so that Node cannot load it.
 */
const schemaFile = new URL('workflow-v1.0.min.json', import.meta.resolve('@actions/workflow-parser'));
const schema = TemplateSchema.load(new JSONObjectReader(undefined, readFileSync(fileURLToPath(schemaFile), 'utf8')));

/**
 * Checks a workflow file with GitHub's own parser: schema, contexts and functions of every expression, cycles of `needs`.
 * @param name of the file, for the errors
 * @returns the events of `on:`, each with its filters
 * @throws Error with every problem, each with line and column
 */
export function checkWorkflow(name: string, content: string): EventsConfig {
  const context = new TemplateContext(new TemplateValidationErrors(), schema, new NoOperationTraceWriter());
  const file = context.getFileId(name);
  const reader = new YamlObjectReader(file, content);
  for (const problem of reader.errors) context.error(file, problem.message, problem.range);
  check(context);
  const root = readTemplate(context, WORKFLOW_ROOT, reader, file)?.assertMapping('workflow');
  check(context);
  const [on, jobs] = [root?.find('on'), root?.find('jobs')];
  if (!on || !jobs) throw new Error(`${name} is empty`);
  const events = convertOn(context, on);
  convertJobs(context, jobs);
  check(context);
  return events;
}

function check(context: TemplateContext): void {
  const problems = context.errors.getErrors().map((error) => error.message);
  if (problems.length > 0) throw new Error(problems.join('\n'));
}
