import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** An error that the code can end with; what it fills in stands as `…`. */
interface ErrorText {
  code: string;
  message: string;
  remedy: string | undefined;
}

/** Every `new ActionError(code, message, { remedy })` of the actions and of core whose words stand there, without those that are defects of ours. */
function errorTexts(root: string): ErrorText[] {
  const files = globSync(['actions/*/src/**/*.ts', 'packages/core/src/**/*.ts'], { cwd: root }).filter(
    (file) => !file.endsWith('.test.ts'),
  );
  return files.flatMap((file) => {
    const found: ErrorText[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isNewExpression(node) && node.expression.getText() === 'ActionError') found.push(...readError(node));
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ESNext, true));
    return found;
  });
}

function readError({ arguments: [code, message, details] = ts.factory.createNodeArray() }: ts.NewExpression): ErrorText[] {
  if (!code || !message || !ts.isStringLiteral(code) || code.text === 'internal') return [];
  const remedy =
    details && ts.isObjectLiteralExpression(details)
      ? details.properties.find((property) => property.name?.getText() === 'remedy')
      : undefined;
  const [words] = remedy && ts.isPropertyAssignment(remedy) ? textsOf(remedy.initializer) : [];
  return textsOf(message)
    .filter((text) => /[a-z]{3}/u.test(text))
    .map((text) => ({ code: code.text, message: text, remedy: words !== undefined && /[a-z]{3}/u.test(words) ? words : undefined }));
}

/** The texts that an expression can become, as far as they are written there. */
function textsOf(expression: ts.Expression): string[] {
  if (ts.isStringLiteralLike(expression)) return [expression.text];
  if (ts.isParenthesizedExpression(expression)) return textsOf(expression.expression);
  if (ts.isConditionalExpression(expression)) return [...textsOf(expression.whenTrue), ...textsOf(expression.whenFalse)];
  if (ts.isTemplateExpression(expression))
    return [expression.head.text + expression.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
  if (ts.isBinaryExpression(expression) && expression.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return [`${textsOf(expression.left)[0] ?? '…'}${textsOf(expression.right)[0] ?? '…'}`];
  return [];
}

const headings: Record<string, string> = {
  input: 'An input is missing or not allowed',
  config: '.github/slashtrain.yml is not valid',
  manifest: 'The manifest cannot be used',
  policy: 'The policy forbids it',
  permission: 'A token or a person lacks a right',
  'not-found': 'Something that was named is not there',
  conflict: 'Something else stands there',
  mismatch: 'Two things are not of the same commit',
  unreachable: 'A server did not answer',
  timeout: 'It took too long',
  'build-failed': 'The image could not be built',
  'run-failed': 'The training ended badly',
  'gate-failed': 'The metrics did not pass',
  cancelled: 'Somebody cancelled',
  unsupported: 'This version does not do that',
};

/** Markdown: every error's text under a heading for its code, and what to do. */
export function errorList(root: string): string {
  const texts = errorTexts(root);
  return Object.entries(headings)
    .flatMap(([code, heading]) => {
      const lines = new Set(
        texts
          .filter((text) => text.code === code)
          .map(({ message, remedy }) => `- ${fenced(message)}${remedy === undefined ? '' : `<br>${fenced(remedy)}`}`),
      );
      return lines.size === 0 ? [] : [`### ${heading}`, [...lines].sort().join('\n')];
    })
    .join('\n\n');
}

function fenced(text: string): string {
  const line = text.replace(/\s+/gu, ' ').trim();
  const ticks = '`'.repeat(Math.max(0, ...[...line.matchAll(/`+/gu)].map(([run]) => run.length)) + 1);
  return /^`|`$/u.test(line) ? `${ticks} ${line} ${ticks}` : `${ticks}${line}${ticks}`;
}
