import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import { type Tsman, tsmanEnv, tsmanPath } from '../support/tsman.ts';

const test = suite('tsman on a terminal');
const needs = requires(test, 'userns', 'tmux');

needs('gives the container a terminal of the right size and passes the exit code on', () =>
  withTerminal(async (screen) => {
    await screen.type(`${screen.run} isatty`);
    await screen.until(/^1 1 1$/m);
    await screen.type(`${screen.run} size; echo code=$?`);
    await screen.until(/30 100/);
    await screen.until(/code=0/);
    await screen.type(`${screen.run} exit 7; echo code=$?`);
    await screen.until(/code=7/);
  }),
);

needs('sends ctrl-c to the program inside', () =>
  withTerminal(async (screen) => {
    await screen.type(`${screen.run} signal`);
    await screen.until(/ready/);
    screen.press('C-c');
    await screen.until(/\^C2$/m);
  }),
);

needs('detaches with ctrl-p ctrl-q and attaches again', () =>
  withTerminal(async (screen, tsman) => {
    await screen.type(`${screen.run.replace(' --rm', ' --rm --name it')} cat; echo code=$?`);
    await screen.pause(500);
    screen.press('C-p', 'C-q');
    await screen.until(/code=0/);
    assert.match((await tsman('ps')).stdout, /Up .* it$/m);
    await screen.type('clear; $T attach it; echo code=$?');
    await screen.pause(500);
    await screen.type('said');
    await screen.until(/said\s+said/);
    screen.press('C-d');
    await screen.until(/code=0/);
  }),
);

interface Screen {
  /** `tsman run --rm -it … probe`, with the environment set. */
  readonly run: string;
  type(line: string): Promise<void>;
  press(...keys: string[]): void;
  until(pattern: RegExp): Promise<void>;
  pause(ms: number): Promise<void>;
}

async function withTerminal(body: (screen: Screen, tsman: Tsman) => Promise<void>): Promise<void> {
  await withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    const socket = `tsman-test-${randomBytes(4).toString('hex')}`;
    const tmux = (...args: string[]): string =>
      execFileSync('tmux', ['-L', socket, ...args], {
        encoding: 'utf8',
        timeout: 10_000,
        env: { ...process.env, TERM: 'xterm' },
      });
    tmux('-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '31', shellCommand(scratch));
    tmux('set', '-g', 'status', 'off');
    tmux('resize-window', '-x', '100', '-y', '30');
    try {
      await body(screenOf(tmux), tsman);
    } finally {
      tmux('kill-server');
    }
  });
}

/** A shell whose environment finds this scratch: tmux's server does not take ours. */
function shellCommand(scratch: Scratch): string {
  const variables = Object.entries({ ...tsmanEnv(scratch), T: tsmanPath(), PS1: '> ' });
  return `env ${variables.map(([key, value]) => `'${key}=${value}'`).join(' ')} sh`;
}

function screenOf(tmux: (...args: string[]) => string): Screen {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  return {
    run: `clear; $T run --rm -it --network none ${PROBE_IMAGE} probe`,
    async type(line) {
      tmux('send-keys', '-l', line);
      tmux('send-keys', 'Enter');
      await pause(100);
    },
    press(...keys) {
      tmux('send-keys', ...keys);
    },
    async until(pattern) {
      let text = '';
      for (let attempt = 0; attempt < 100; attempt++) {
        text = tmux('capture-pane', '-p');
        if (pattern.test(text)) return;
        await pause(100);
      }
      assert.unreachable(`${pattern} never appeared on:\n${text}`);
    },
    pause,
  };
}

test.run();
