/** The path of a notebook's script, or of a step's, from the context. */
export function scriptOf(notebook: string, step?: string): string {
  return notebook.replace(/\.ipynb$/u, step === undefined ? '.py' : `_${step.replaceAll('-', '_')}.py`);
}
