import { UsageError } from '../base/error.ts';

/** What Docker and Podman use when nobody says otherwise. */
export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/**
 * Parses `--detach-keys`: single characters or `ctrl-X` (X a letter or one of `@[\]^_`), joined by commas.
 * @returns the bytes to watch for, or undefined when the text is empty: then nothing detaches
 */
export function parseDetachKeys(text: string): Buffer | undefined {
  if (text === '') return undefined;
  return Buffer.from(text.split(',').map((key) => keyByte(key, text)));
}

function keyByte(key: string, whole: string): number {
  if (/^[!-~]$/.test(key)) return key.charCodeAt(0);
  const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1]?.toUpperCase();
  if (control !== undefined) return control.charCodeAt(0) & 0x1f;
  throw new UsageError(`option --detach-keys: ${JSON.stringify(whole)} is not a key sequence`, {
    hint: 'single characters or ctrl-X, joined by commas, e.g. ctrl-p,ctrl-q',
  });
}
