/**
 * The time now in whole milliseconds since 1970: what the system's clock said when the process began, and a steady clock since then.
 * A clock that is set while something is waited for ends no wait, and prolongs none.
 */
export function steadyNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
