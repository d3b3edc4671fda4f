/** On which ports of the machine a container's first process listens, by the ports that it believes to have. */
export class Ports {
  readonly #byPort = new Map<number, { real: number; local: boolean }>();
  #rest = '';

  /** Takes what the process writes: `8080 41233 any`, and 0 where it listens no longer. */
  read(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [port, real, where] = line.split(' ');
      if (real === '0') this.#byPort.delete(Number(port));
      else this.#byPort.set(Number(port), { real: Number(real), local: where === 'local' });
    }
  }

  clear(): void {
    this.#byPort.clear();
  }

  /** Whether it listens there. @param outside whether who asks stands outside of the container: `localhost` is not for it */
  find(port: number, outside: boolean): number | undefined {
    const found = this.#byPort.get(port);
    return found && !(outside && found.local) ? found.real : undefined;
  }
}
