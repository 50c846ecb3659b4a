import type { Readable } from 'node:stream';
import { TsmanError } from '../base/error.ts';
import type { Output } from '../output/output.ts';

type MaybeTerminal = Readable & {
  isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
  ref?(): unknown;
  unref?(): unknown;
};

/** True when there is somebody to ask. */
export function canAsk(stdin: MaybeTerminal): boolean {
  return stdin.isTTY === true;
}

/** Asks on the terminal; with `isHidden` what is typed is not shown. */
export async function ask(
  stdin: MaybeTerminal,
  stderr: Output,
  question: string,
  isHidden = false,
): Promise<string> {
  stderr.write(question);
  stdin.ref?.();
  stdin.setRawMode?.(true);
  try {
    return await readLine(stdin, isHidden ? undefined : stderr);
  } finally {
    stdin.setRawMode?.(false);
    stdin.pause();
    // A terminal that is read no more must not keep the process.
    stdin.unref?.();
    stderr.write('\n');
  }
}

/** Raw mode leaves line editing to us: backspace, ctrl-U, and ctrl-C, which must still interrupt. */
async function readLine(stdin: Readable, echo: Output | undefined): Promise<string> {
  let line = '';
  for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
    for (const letter of String(chunk)) {
      if (letter === '\r' || letter === '\n') return line;
      if (letter === '\u0003' || letter === '\u0004')
        throw new TsmanError('interrupted', { exitCode: 130 });
      if (letter === '\u007f' || letter === '\b') {
        if (line !== '') echo?.write('\b \b');
        line = line.slice(0, -1);
      } else if (letter === '\u0015') {
        echo?.write('\b \b'.repeat(line.length));
        line = '';
      } else if (letter >= ' ') {
        line += letter;
        echo?.write(letter);
      }
    }
  }
  return line;
}

/** All of a pipe, for `--password-stdin`; one final newline is not part of the secret. */
export async function readSecret(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    if (chunks.length > 1000) throw new TsmanError('--password-stdin: too much input');
  }
  return Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, '');
}

/** Asks before something is removed, where somebody can answer: a script is taken at its word. */
export async function confirm(
  warning: string,
  { stdin, stderr }: { readonly stdin: Readable; readonly stderr: Output },
): Promise<boolean> {
  if (!canAsk(stdin)) return true;
  const answer = await ask(stdin, stderr, `${warning}\nAre you sure you want to continue? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}
