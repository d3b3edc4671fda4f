/** Takes secrets out of lines, also in the forms in which they are seen by accident or on purpose. */
export class Scrubber {
  /** Each is a secret of its own for the runner's mask as well. */
  readonly forms: string[];

  constructor(secrets: readonly string[]) {
    const forms = secrets.flatMap((secret) => {
      const texts = [secret, secret.trim(), ...secret.split(/\r?\n/u).map((line) => line.trim())].filter((text) => text !== '');
      return texts.flatMap((text) => [text, ...encoded(text), ...encoded(`${text}\n`)]);
    });
    // The longest first, so that no end of one is left standing. A secret of a letter or two would blacken the whole log.
    this.forms = [...new Set(forms)].filter((form) => form.length > 3).sort((a, b) => b.length - a.length);
  }

  clean(line: string): string {
    return this.forms.reduce((text, form) => text.replaceAll(form, '***'), line);
  }
}

function encoded(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8');
  return [
    bytes.toString('base64'),
    bytes.toString('base64').replace(/=+$/u, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    encodeURIComponent(text),
  ];
}
