/**
 * The command that asks for such a run again, as chatops-parse reads it: `/train epochs=20 note="a b"`.
 * @param command with which it begins, such as `/train`; with arguments of its own, such as `/train best`, it is whole
 */
export function repeatCommand(command: string, parameters: readonly { name: string; value: string }[]): string {
  if (/\s/u.test(command.trim())) return command.trim();
  return [command, ...parameters.map(({ name, value }) => `${name}=${quote(value)}`)].join(' ');
}

const escapes: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t' };

function quote(value: string): string {
  if (/^[^\s"'\\\u201c\u201d\u2018\u2019]+$/u.test(value)) return value;
  return `"${value.replace(/["\\\n\t]/gu, (character) => escapes[character] ?? character)}"`;
}
