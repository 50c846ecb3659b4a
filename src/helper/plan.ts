/** One record of a plan: its name, then its arguments. Formats: native/README.md. */
export type PlanRecord = readonly [name: string, ...args: (string | number | Buffer)[]];

const NUL = Buffer.from([0]);

/**
 * Encodes records as the bytes that `tsman-helper` reads (native/README.md, "Plan").
 * @throws Error when an argument holds a NUL byte, which no Linux path or argument can.
 */
export function encodePlan(records: Iterable<PlanRecord>): Buffer {
  const parts: Buffer[] = [Buffer.from('tsman-plan\u00001\u0000')];
  for (const [name, ...args] of records) {
    parts.push(Buffer.from(`${name}\u0000${args.length}\u0000`));
    for (const arg of args) {
      const bytes = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg));
      if (bytes.includes(0)) throw new Error(`plan record ${name}: argument holds a NUL byte`);
      parts.push(bytes, NUL);
    }
  }
  parts.push(Buffer.from('end\u00000\u0000'));
  return Buffer.concat(parts);
}
