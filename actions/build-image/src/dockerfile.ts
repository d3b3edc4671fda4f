/** The images that a Dockerfile names. */
export interface NamedImages {
  /** As they are pulled, each once. */
  images: string[];
  /** Names that hang on something that only the build knows. */
  unknown: string[];
}

/**
 * Reads which images a Dockerfile builds on or copies from, to know their digests before a build
 * (https://docs.docker.com/reference/dockerfile/). It is no judge: what it cannot read is `unknown`, and the builder
 * says what is wrong with a Dockerfile.
 */
export function imagesOf(text: string, buildArgs: ReadonlyMap<string, string>): NamedImages {
  const args = new Map<string, string>();
  const stages = new Set<string>();
  const found = new Set<string>();
  const unknown = new Set<string>();
  let isBeforeFrom = true;
  const add = (name: string): void => {
    const image = expand(name, args);
    if (image === undefined || image === '') unknown.add(name);
    else if (image !== 'scratch' && !stages.has(image.toLowerCase()) && !/^[0-9]+$/u.test(image)) found.add(image);
  };
  for (const line of instructions(text)) {
    const [, word = '', rest = ''] = /^([A-Za-z]+)\s+([\s\S]*)$/u.exec(line) ?? [];
    const instruction = word.toUpperCase();
    if (instruction === 'ARG' && isBeforeFrom) {
      for (const [, name = '', quoted, bare] of rest.matchAll(/([A-Za-z_]\w*)(?:=(?:"([^"]*)"|(\S*)))?/gu)) {
        const value = buildArgs.get(name) ?? quoted ?? bare;
        const expanded = value === undefined ? undefined : buildArgs.has(name) ? value : expand(value, args);
        if (expanded !== undefined) args.set(name, expanded);
      }
    } else if (instruction === 'FROM') {
      isBeforeFrom = false;
      const words = rest
        .trim()
        .split(/\s+/u)
        .filter((part) => !part.startsWith('--'));
      if (words[0] !== undefined) add(words[0]);
      if (words[1]?.toUpperCase() === 'AS' && words[2] !== undefined) stages.add(words[2].toLowerCase());
    } else if (['COPY', 'ADD'].includes(instruction)) {
      const [, from] = /(?:^|\s)--from=(\S+)/u.exec(rest) ?? [];
      if (from !== undefined) add(from);
    } else if (instruction === 'RUN') {
      for (const [, mount = ''] of rest.matchAll(/(?:^|\s)--mount=(\S+)/gu)) {
        const from = mount.split(',').find((part) => part.startsWith('from='));
        if (from !== undefined) add(from.slice('from='.length));
      }
    }
  }
  return { images: [...found], unknown: [...unknown] };
}

/** Instructions without comments, each on one line, without the bodies of here-documents. */
function instructions(text: string): string[] {
  const lines = text.replace(/^\ufeff/u, '').split(/\r?\n/u);
  // A directive before everything else may choose another sign for going on: https://docs.docker.com/reference/dockerfile/#escape
  const escape = lines.find((line) => !/^\s*#\s*(?!escape)\w+\s*=/iu.test(line)) ?? '';
  const sign = /^\s*#\s*escape\s*=\s*`\s*$/iu.test(escape) ? '`' : '\\';
  const result: string[] = [];
  let held = '';
  const waiting: string[] = [];
  for (const line of lines) {
    if (waiting.length > 0) {
      if (line.replace(/^\t+/u, '') === waiting[0]) waiting.shift();
      continue;
    }
    if (/^\s*#/u.test(line) || (line.trim() === '' && held !== '')) continue;
    const trimmed = line.trimEnd();
    if (trimmed.endsWith(sign)) {
      held += `${trimmed.slice(0, -1)} `;
      continue;
    }
    const whole = (held + line).trim();
    held = '';
    if (whole === '') continue;
    result.push(whole);
    if (/^(?:RUN|COPY|ADD)\s/iu.test(whole))
      for (const [, , word] of whole.matchAll(/<<-?(["']?)([A-Za-z_]\w*)\1/gu)) if (word !== undefined) waiting.push(word);
  }
  if (held !== '') result.push(held.trim());
  return result;
}

/** `$A`, `${A}`, `${A:-word}`, `${A:+word}`; undefined where a variable has no value or the form is another. */
function expand(text: string, args: ReadonlyMap<string, string>): string | undefined {
  let isKnown = true;
  const plain = text.replace(/^"(.*)"$/u, '$1').replace(/\$(?:\{([^}]*)\}|([A-Za-z_]\w*))/gu, (_, braced?: string, bare?: string) => {
    const [, name = '', form, word = ''] = bare === undefined ? (/^([A-Za-z_]\w*)(?::([-+])(.*))?$/u.exec(braced ?? '') ?? []) : ['', bare];
    const value = args.get(name);
    if (name !== '' && form === '+') return value ? word : '';
    if (name !== '' && form === '-') return value || word;
    if (!value) isKnown = false;
    return value ?? '';
  });
  return isKnown && !plain.includes('$') ? plain : undefined;
}
