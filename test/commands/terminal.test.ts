import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { type Screen, withScreen } from '../support/screen.ts';
import type { Tsman } from '../support/tsman.ts';
import { until } from '../support/until.ts';

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
    await screen.type('ready');
    await screen.until(/ready\s+ready/);
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

needs('an exec that is left by keys lives on, and its end is an event', () =>
  withTerminal(async (screen, tsman) => {
    await tsman('run', '-d', '--network=none', '--name=c', PROBE_IMAGE, 'probe', 'sleep');
    const events = async (): Promise<string> =>
      (await tsman('events', '--stream=false', '--format={{.Status}}')).stdout;
    await screen.type('clear; $T exec -it c probe cat; echo code=$?');
    await screen.type('ready');
    await screen.until(/ready\s+ready/);
    screen.press('C-p', 'C-q');
    await screen.until(/code=0/);
    await screen.pause(200);
    assert.match(await events(), /^exec$/m);
    assert.not.match(await events(), /^exec_died$/m);
    await tsman('stop', '-t', '0', 'c');
    await until('its end is told', async () => /^exec_died$/m.test(await events()));
  }),
);

interface ProbeScreen extends Screen {
  /** `tsman run --rm -it … probe`, with the environment set. */
  readonly run: string;
}

const RUN_PROBE = `clear; $T run --rm -it --network none ${PROBE_IMAGE} probe`;

async function withTerminal(
  body: (screen: ProbeScreen, tsman: Tsman) => Promise<void>,
): Promise<void> {
  await withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await withScreen(scratch, {}, (screen) => body({ ...screen, run: RUN_PROBE }, tsman));
  });
}

test.run();
