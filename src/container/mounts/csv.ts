/** Splits at commas as Go's encoding/csv does for Docker: a field in double quotes may hold commas. */
export function splitCsv(text: string): string[] {
  const fields: string[] = [];
  for (let rest = text; ; ) {
    const quoted = /^"((?:[^"]|"")*)"(,|$)/.exec(rest);
    const [whole, field, comma] = quoted ?? /^([^,]*)(,|$)/.exec(rest) ?? [rest, rest, ''];
    fields.push(quoted === null ? (field ?? '') : (field ?? '').replaceAll('""', '"'));
    if (comma !== ',') return fields;
    rest = rest.slice(whole.length);
  }
}

/** `KEY=VALUE`, or KEY alone with an empty value. */
export function splitPair(part: string): [string, string] {
  const equals = part.indexOf('=');
  return equals === -1 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
}
