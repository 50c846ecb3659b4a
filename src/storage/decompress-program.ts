import { hasCode, TsmanError } from '../base/error.ts';
import { nodeChildProcess, nodeStreamPromises } from '../base/late-modules.ts';

const ARGUMENTS = {
  // Files may ask for a dictionary of 4 GiB; xz -9 makes one of 64 MiB.
  xz: ['-dc', '--memlimit-decompress=256MiB'],
  bzip2: ['-dc'],
} as const;

/** Decompresses with a program of the host, found in our own PATH. */
export async function* throughProgram(
  body: AsyncIterable<Buffer>,
  program: keyof typeof ARGUMENTS,
): AsyncGenerator<Buffer> {
  const child = nodeChildProcess().spawn(program, ARGUMENTS[program], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | Error>((resolve) => {
    child.on('error', resolve);
    child.on('close', (code) => resolve(code ?? 1));
  });
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint = `${complaint}${text}`.slice(0, 500);
  });
  const fed = nodeStreamPromises()
    .pipeline(body, child.stdin)
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    check(program, await ended, await fed, complaint);
  } catch (cause) {
    // Never started, its streams end in other ways.
    if (child.pid === undefined) check(program, await ended, undefined, complaint);
    throw cause;
  } finally {
    child.kill();
  }
}

function check(program: string, ended: number | Error, fed: unknown, complaint: string): void {
  if (ended instanceof Error)
    throw hasCode(ended, 'ENOENT')
      ? new TsmanError(`${program} is not installed`, {
          hint: `install ${program}, or decompress the file first`,
        })
      : ended;
  // EPIPE: it ended before us, and says why.
  if (fed !== undefined && !hasCode(fed, 'EPIPE')) throw fed;
  // bzip2 warns of garbage after the end, and succeeds.
  if (ended !== 0 || complaint !== '')
    throw new TsmanError(`decompress: ${complaint.trim() || `${program} failed`}`);
}
