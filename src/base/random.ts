/**
 * Random bytes, as hex. From the runtime's own source: importing node:crypto loads all of Node's
 * streams, 2 ms at the start of every command.
 */
export function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}

/** A random whole number from 0 to `count` - 1; not for secrets. */
export function randomBelow(count: number): number {
  return Math.floor(Math.random() * count);
}
