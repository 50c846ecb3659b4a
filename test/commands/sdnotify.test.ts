import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman run --sdnotify');
const inBox = requires(test, 'userns');

/** What systemd does: a datagram socket, whose messages are printed with "|" between their lines. */
const LISTENER = `
use Socket; $| = 1;
socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un($ARGV[0])) or die "$!";
print "listening\\n";
while (defined recv(S, $_, 4096, 0)) { tr/\\n/|/; print "$_\\n" }
`;

class Manager {
  readonly socket: string;
  readonly #process: ChildProcess;
  #said = '';

  constructor(socket: string) {
    this.socket = socket;
    this.#process = spawn('perl', ['-e', LISTENER, socket], { stdio: ['ignore', 'pipe', 2] });
    this.#process.stdout?.on('data', (chunk) => {
      this.#said += String(chunk);
    });
  }

  /** Everything so far, once `pattern` is in it. */
  async hear(pattern: RegExp): Promise<string> {
    const deadline = performance.now() + 15_000;
    while (!pattern.test(this.#said)) {
      if (performance.now() > deadline) throw new Error(`no ${pattern} in ${this.#said}`);
      await sleep(20);
    }
    return this.#said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await once(this.#process, 'exit');
  }
}

async function withManager(
  body: (tsman: Tsman, manager: Manager, scratch: Scratch) => Promise<void>,
): Promise<void> {
  await withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await using manager = new Manager(`${scratch.makeDirectory('notify')}/socket`);
    await manager.hear(/listening/);
    await body(tsman.with({ env: { NOTIFY_SOCKET: manager.socket } }), manager, scratch);
  });
}

const RUN = ['run', '-d', '--name', 'c', '--network', 'none'];

inBox('conmon: the monitor is the main process, and ready when the container runs', () =>
  withManager(async (tsman, manager) => {
    await tsman(...RUN, '--sdnotify', 'conmon', PROBE_IMAGE, '/bin/probe', 'sleep', '60');
    const said = await manager.hear(/READY=1/);
    const { stdout } = await tsman('inspect', '--format', '{{.State.ConmonPid}}', 'c');
    assert.match(said, `MAINPID=${stdout.trim()}|READY=1`);
    await tsman('rm', '-f', 'c');
  }),
);

inBox('healthy: ready after the first good probe', () =>
  withManager(async (tsman, manager) => {
    const health = ['--health-cmd', '["/bin/probe","exit","0"]', '--health-interval', '1s'];
    const { exitCode, stderr } = await tsman(
      ...[...RUN, '--sdnotify', 'healthy', ...health, PROBE_IMAGE, '/bin/probe', 'sleep', '60'],
    );
    assert.is(exitCode, 0, stderr);
    assert.match(await manager.hear(/READY=1/), /MAINPID=\d+\n(.*\n)*READY=1\n/);
    await tsman('rm', '-f', 'c');
  }),
);

inBox('container: it finds the socket and speaks for itself', () =>
  withManager(async (tsman, manager) => {
    const { stdout, stderr } = await tsman(
      ...['run', '--rm', '--network', 'none', PROBE_IMAGE, '/bin/probe', 'env'],
    );
    assert.match(stdout, /^NOTIFY_SOCKET=\/run\/notify\/notify\.sock$/m, stderr);
    assert.not.match(await manager.hear(/MAINPID=\d+/), /READY/);
  }),
);

inBox('ignore: nobody says anything', () =>
  withManager(async (tsman, manager) => {
    const { stdout } = await tsman(
      ...['run', '--rm', '--network', 'none', '--sdnotify', 'ignore'],
      ...[PROBE_IMAGE, '/bin/probe', 'env'],
    );
    assert.not.match(stdout, /NOTIFY_SOCKET/);
    assert.is(await manager.hear(/listening/), 'listening\n');
  }),
);

inBox('another word is refused', () =>
  withScratch(async (tsman) => {
    const { exitCode, stderr } = await tsman('create', '--sdnotify', 'maybe', 'x');
    assert.is(exitCode, 125);
    assert.match(stderr, /"maybe" is not container, conmon, healthy, ignore/);
  }),
);

test.run();
