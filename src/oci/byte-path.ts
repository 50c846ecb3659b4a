import { TsmanError } from '../base/error.ts';

/**
 * A path from an archive, made relative to the root, without `.`, `..` and empty components. Bytes,
 * one character for each (latin1); `''` is the root itself.
 * @throws TsmanError when `..` leads out of the root
 */
export function cleanArchivePath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined)
      throw new TsmanError(`path ${quoteBytes(path)} in tar archive leads out of the root`);
  }
  return parts.join('/');
}

/** For messages: bytes as UTF-8 text in quotes, cut when long. */
export function quoteBytes(path: string): string {
  const text = Buffer.from(path, 'latin1').toString();
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
