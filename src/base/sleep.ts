/** After so many milliseconds. node:timers/promises takes a third of one to load. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
