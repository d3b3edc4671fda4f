/*
 * Loaded into a bundle before its own code (`node --import`): at SIGUSR2 the clock of its runner is set by so many milliseconds, as a
 * person or a time server does. Timers go on as they are, since they follow another clock.
 */
const jump = Number(process.env['FAULTS_CLOCK_JUMP']);
const System = Date;
let ahead = 0;

class Shifted extends System {
  constructor(...given: [] | [number | string | Date]) {
    if (given.length === 0) super(System.now() + ahead);
    // Whatever Date takes, this passes on.
    else super(...(given as [number]));
  }
  static override now(): number {
    return System.now() + ahead;
  }
}

globalThis.Date = Shifted as DateConstructor;
process.on('SIGUSR2', () => (ahead += jump));
