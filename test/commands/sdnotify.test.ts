import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DatagramListener } from '../support/datagrams.ts';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { requires } from '../support/requires.ts';
import { type Scratch, withScratch } from '../support/scratch.ts';
import type { Tsman } from '../support/tsman.ts';

const test = suite('tsman run --sdnotify');
const inBox = requires(test, 'userns');

async function withManager(
  body: (tsman: Tsman, manager: DatagramListener, scratch: Scratch) => Promise<void>,
): Promise<void> {
  await withScratch(async (tsman, scratch) => {
    await loadProbe(tsman);
    await using manager = await DatagramListener.open(`${scratch.makeDirectory('notify')}/socket`);
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
