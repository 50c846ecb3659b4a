import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

// Debian keeps runc and others where an ordinary user's PATH does not look.
const PLACES = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of an installed program. */
export function findProgram(name: string): string | undefined {
  return PLACES.map((directory) => join(directory, name)).find((path) => existsSync(path));
}

const run = promisify(execFile);

/** Runs one of Debian's programs (tar, skopeo, gcc …) to prepare a test. @throws with its stderr when it fails */
export async function runProgram(
  command: string,
  args: readonly string[],
  timeoutMs = 120_000,
): Promise<string> {
  const { stdout } = await run(command, [...args], { timeout: timeoutMs, maxBuffer: 16 << 20 });
  return stdout;
}
