/** The functions Docker and Podman offer in --format, with Go's semantics. */
export type TemplateFunction = (...args: unknown[]) => unknown;

export const TEMPLATE_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  json: (value) => JSON.stringify(value, exactNumbers) ?? 'null',
  join: (list, separator) =>
    Array.isArray(list) ? list.map(goText).join(String(separator ?? '')) : goText(list),
  split: (text, separator) => goText(text).split(String(separator ?? '')),
  lower: (text) => goText(text).toLowerCase(),
  upper: (text) => goText(text).toUpperCase(),
  title: (text) =>
    goText(text).replace(/(^|\s)(\S)/g, (_, space, letter) => `${space}${letter.toUpperCase()}`),
  truncate: (text, length) => goText(text).slice(0, Number(length)),
  pad: (text, before, after) =>
    goText(text) === ''
      ? ''
      : ' '.repeat(Number(before)) + goText(text) + ' '.repeat(Number(after ?? 0)),
  print: (...values) => values.map(goText).join(' '),
  println: (...values) => `${values.map(goText).join(' ')}\n`,
  printf: (format, ...values) => printf(goText(format), values),
  len: lengthOf,
  index: (value, ...keys) => keys.reduce((inner, key) => elementOf(inner, key), value),
  slice: (value, from, to) =>
    sliceOf(value, Number(from ?? 0), to === undefined ? undefined : Number(to)),
  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  not: (value) => !isTrue(value),
  eq: (value, ...others) => others.some((other) => same(value, other)),
  ne: (a, b) => !same(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
};

/** Nanoseconds have more digits than a double; JSON itself has no limit. */
function exactNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? (JSON as RawJSON).rawJSON(String(value)) : value;
}

/** ECMAScript 2026, https://tc39.es/proposal-json-parse-with-source/; TypeScript does not know it yet. */
type RawJSON = JSON & { rawJSON(text: string): unknown };

/** Go's truth: false, 0, nil and whatever is empty are false. */
export function isTrue(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '')
    return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/** How fmt.Print shows a value: `[a b]`, `map[k:v]`. */
export function goText(value: unknown): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, inner]) => `${key}:${goText(inner)}`).join(' ')}]`;
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  throw new Error(`${goText(value)} has no length`);
}

function elementOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    const at = Number(key);
    if (!(at >= 0 && at < value.length))
      throw new Error(`index ${goText(key)} is out of range: the list has ${value.length}`);
    return value[at];
  }
  if (typeof value === 'object' && value !== null)
    return Object.getOwnPropertyDescriptor(value, goText(key))?.value ?? '';
  throw new Error(`${goText(value)} has no elements`);
}

function sliceOf(value: unknown, from: number, to: number | undefined): unknown {
  if (typeof value === 'string' || Array.isArray(value)) return value.slice(from, to);
  throw new Error(`${goText(value)} cannot be sliced`);
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a !== typeof b && goText(a) === goText(b));
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return goText(a) < goText(b) ? -1 : goText(a) === goText(b) ? 0 : 1;
}

function printf(format: string, values: readonly unknown[]): string {
  let next = 0;
  return format.replace(
    /%([-0]?)(\d*)(?:\.(\d+))?([a-z%])/gi,
    (_, flag: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      const text = formatVerb(verb, values[next++], precision);
      const pad = flag === '0' ? '0' : ' ';
      return flag === '-' ? text.padEnd(Number(width)) : text.padStart(Number(width), pad);
    },
  );
}

function formatVerb(verb: string, value: unknown, precision: string | undefined): string {
  switch (verb) {
    case 'q':
      return JSON.stringify(goText(value));
    case 'x':
      return typeof value === 'number'
        ? value.toString(16)
        : Buffer.from(goText(value)).toString('hex');
    case 'f':
      return Number(value).toFixed(Number(precision ?? 6));
    default:
      return precision === undefined ? goText(value) : goText(value).slice(0, Number(precision));
  }
}
