/** Present with --expose-gc, which scripts/build compiles in; a runtime without it keeps its own time. */
const collector = (globalThis as { gc?: () => void }).gc;

/**
 * Returns what to call with the size of every chunk that passes: after each `everyBytes` the garbage is
 * collected. JavaScriptCore hardly counts the memory behind Buffers, so a stream of them, each of a
 * quarter of a megabyte and dead at once, would take fifty megabytes before it looked.
 */
export function collectEvery(everyBytes: number): (sizeBytes: number) => void {
  if (collector === undefined) return () => undefined;
  let passed = 0;
  return (sizeBytes) => {
    passed += sizeBytes;
    if (passed < everyBytes) return;
    passed = 0;
    collector();
  };
}
