import { UsageError } from '../../base/error.ts';
import type { ImageLine } from './rows.ts';

const ORDERS: Readonly<Record<string, (a: ImageLine, b: ImageLine) => number>> = {
  created: () => 0, // As listImages gives them.
  id: (a, b) => compare(a.image.id, b.image.id),
  repository: (a, b) => compare(a.name ?? '', b.name ?? ''),
  size: (a, b) => a.image.sizeBytes - b.image.sizeBytes,
  tag: (a, b) => compare(tagOf(a), tagOf(b)),
};

/** Orders the lines of `images --sort KEY`. @throws UsageError for another key */
export function sortLines(lines: ImageLine[], key: string): ImageLine[] {
  const order = ORDERS[key];
  if (order === undefined)
    throw new UsageError(
      `option --sort: ${JSON.stringify(key)}: there are ${Object.keys(ORDERS).join(', ')}`,
    );
  return lines.sort(order);
}

function tagOf({ name }: ImageLine): string {
  return name?.replace(/^.*:/, '') ?? '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
