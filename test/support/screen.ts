import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as assert from 'uvu/assert';
import type { Scratch } from './scratch.ts';
import { tsmanEnv, tsmanPath } from './tsman.ts';
import { until } from './until.ts';

/** A shell in a real terminal, tmux's; `$T` is the program under test with this scratch's store. */
export interface Screen {
  type(line: string): Promise<void>;
  press(...keys: string[]): void;
  /** What is on it now. */
  text(): string;
  until(pattern: RegExp): Promise<void>;
  pause(ms: number): Promise<void>;
}

export interface ScreenOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `body` with a terminal that is gone afterwards. */
export async function withScreen(
  scratch: Scratch,
  { columns = 100, rows = 30, env = {} }: ScreenOptions,
  body: (screen: Screen) => Promise<void>,
): Promise<void> {
  const socket = `tsman-test-${randomBytes(4).toString('hex')}`;
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', socket, ...args], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, TERM: 'xterm' },
    });
  const size = ['-x', `${columns}`, '-y', `${rows}`];
  tmux('-f', '/dev/null', 'new-session', '-d', ...size, shellCommand(scratch, env));
  try {
    tmux('set', '-g', 'status', 'off');
    tmux('resize-window', ...size);
    await body(screenOf(tmux));
  } finally {
    tmux('kill-server');
  }
}

/** A shell whose environment finds this scratch: tmux's server does not take ours. */
function shellCommand(scratch: Scratch, env: Readonly<Record<string, string>>): string {
  const variables = Object.entries({ ...tsmanEnv(scratch), T: tsmanPath(), PS1: '> ', ...env });
  return `env ${variables.map(([key, value]) => `'${key}=${value}'`).join(' ')} sh`;
}

function screenOf(tmux: (...args: string[]) => string): Screen {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const text = (): string => tmux('capture-pane', '-p');
  return {
    async type(line) {
      tmux('send-keys', '-l', line);
      tmux('send-keys', 'Enter');
      await pause(100);
    },
    press(...keys) {
      tmux('send-keys', ...keys);
    },
    text,
    async until(pattern) {
      await until(`${pattern} is on the screen`, () => pattern.test(text())).catch((error) =>
        assert.unreachable(`${error.message}:\n${text()}`),
      );
    },
    pause,
  };
}
