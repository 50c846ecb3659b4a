import { spawnSync } from 'node:child_process';
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { type Bench, withBench } from './helper-plan.ts';

const test = suite('the user of a container');
const declare = requires(test, 'userns', 'subids');
let count = 0;

function idOf(bench: Bench, user: string): string {
  const { exitCode, stdout, stderr } = bench.box(`u${count++}`, ['/bin/probe', 'id'], { user });
  assert.is(exitCode, 0, `${user}: ${stderr}`);
  return stdout.trim();
}

function refuses(bench: Bench, user: string): void {
  const { exitCode, stdout, stderr } = bench.box(`u${count++}`, ['/bin/probe', 'id'], { user });
  assert.is(exitCode, 125, `"${user}" ran as ${stdout}`);
  assert.match(stderr, /^tsman-helper: (user|group): /);
}

declare('is found by name and by number, with the groups of its entry', () =>
  withBench((bench) => {
    assert.is(idOf(bench, ''), '0 0 0 0');
    assert.is(idOf(bench, 'alice'), '1000 1000 1000 1000 50');
    assert.is(idOf(bench, '1000'), '1000 1000 1000 1000 50');
    assert.is(idOf(bench, '1000:50'), '1000 1000 50 50');
    assert.is(idOf(bench, 'alice:staff'), '1000 1000 50 50');
    assert.is(idOf(bench, 'alice:'), '1000 1000 1000 1000 50');
    assert.is(idOf(bench, '777'), '777 777 0 0');
    assert.is(idOf(bench, ':50'), '0 0 50 50');
  }),
);

declare('is refused when it is not exactly a name or a number (CVE-2026-30892)', () =>
  withBench((bench) => {
    const wrong = ['-1:', '-1', '4294967295', '4294967296', '99999999999999999999', '0x0'];
    wrong.push(
      ' 0',
      '0 ',
      '+0',
      '1000:-1',
      '1000: 0',
      'nobody:',
      '0:0:0',
      'al ice',
      '\t',
      'nobody',
    );
    wrong.push('1e3', '1000:4294967295', '/etc', '-alice', 'x'.repeat(400), '\u00a00');
    for (const user of wrong) refuses(bench, user);
  }),
);

declare('cannot become root because an image calls it "1000"', () =>
  withBench((bench) => {
    bench.writeInside('etc/passwd', '1000:x:0:0::/:/x\n');
    assert.is(idOf(bench, '1000'), '1000 1000 0 0');
  }),
);

declare('comes from whole and sane lines only', () =>
  withBench((bench) => {
    bench.writeInside(
      'etc/passwd',
      'bob:x:-1:0::/:/x\nbob:x:4294967295:0::/:/x\nbob:x\nbob:x:7:8::/:',
    );
    assert.is(idOf(bench, 'bob'), '7 7 8 8');
    bench.writeInside('etc/passwd', `${'y'.repeat(100_000)}\nbob:x:9:9::/:/x`);
    assert.is(idOf(bench, 'bob'), '9 9 9 9');
  }),
);

declare('is not read from a FIFO, a directory or the host', () =>
  withBench((bench) => {
    const passwd = join(bench.rootfs, 'etc/passwd');
    rmSync(passwd);
    assert.is(idOf(bench, '5'), '5 5 0 0');
    spawnSync('mkfifo', [passwd], { timeout: 60_000 });
    refuses(bench, 'alice');
    rmSync(passwd);
    symlinkSync('/../../../../../../etc/hostname', passwd);
    refuses(bench, 'root');
    rmSync(passwd);
    symlinkSync('/proc/self/root/etc/passwd', passwd);
    refuses(bench, 'alice');
  }),
);

declare('has no capabilities unless it is root', () =>
  withBench((bench) => {
    const caps = (user: string) =>
      bench.box(`c${count++}`, ['/bin/probe', 'caps'], { user }).stdout;
    assert.match(caps(''), /CapInh:\s+0+\n/);
    assert.match(caps(''), /CapEff:\s+00000000a80425fb/);
    assert.match(caps('alice'), /CapEff:\s+0+\n/);
    assert.match(caps('alice'), /CapPrm:\s+0+\n/);
    assert.match(caps('alice'), /CapBnd:\s+00000000a80425fb/);
  }),
);

test.run();
