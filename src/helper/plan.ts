/** One record of a plan: its name, then its arguments. Formats: native/README.md. */
export type PlanRecord = readonly [name: string, ...args: (string | number | Buffer)[]];

/**
 * Encodes records as what `tsman-helper` reads (native/README.md, "Plan"): text, unless there are bytes
 * among them.
 * @throws Error when an argument holds a NUL byte, which no Linux path or argument can.
 */
export function encodePlan(records: Iterable<PlanRecord>): string | Buffer {
  const bytes: Buffer[] = [];
  let text = 'tsman-plan\u00001\u0000';
  for (const [name, ...args] of records) {
    text += `${name}\u0000${args.length}\u0000`;
    for (const arg of args) {
      const value = typeof arg === 'object' ? arg : String(arg);
      if (value.includes('\u0000'))
        throw new Error(`plan record ${name}: argument holds a NUL byte`);
      if (typeof value === 'object') {
        bytes.push(Buffer.from(text), value);
        text = '';
      } else text += value;
      text += '\u0000';
    }
  }
  text += 'end\u00000\u0000';
  return bytes.length === 0 ? text : Buffer.concat([...bytes, Buffer.from(text)]);
}
