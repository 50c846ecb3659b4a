import type { Output } from '../output/output.ts';

/** Prints one value as indented JSON, or with the Go template of `--format`. */
export async function printFormatted(
  value: unknown,
  format: string | undefined,
  stdout: Output,
): Promise<void> {
  if (format === undefined || format === 'json') {
    stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
    return;
  }
  const { renderTemplate } = await import('../output/template.ts');
  stdout.write(`${renderTemplate(format, value)}\n`);
}
