// run: root
// timeout: 600
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { debianWith } from './support/debian.ts';
import { runProgram } from './support/programs.ts';
import { requires } from './support/requires.ts';
import { tsmanPath } from './support/tsman.ts';

const test = suite('packages');
const LONG_MS = 240_000;

requires(
  test,
  'root',
  'mmdebstrap',
)(
  'run a container of an ordinary user in a fresh Debian, and leave the data when they go',
  async () => {
    const directory = mkdtempSync('/var/tmp/t');
    try {
      const root = join(directory, 'root');
      mkdirSync(root);
      await runProgram('tar', ['-xf', await debianWith('uidmap', 'passt'), '-C', root], LONG_MS);
      const made = ['--out', join(directory, 'made'), '--bin', dirname(tsmanPath())];
      await runProgram('scripts/package', made, LONG_MS);
      const packages = readdirSync(join(directory, 'made')).map((name) =>
        join(directory, 'made', name),
      );
      assert.is(packages.length, 2);

      const isolated = ['--mount', '--pid', '--fork', '--uts', '--ipc'];
      const script = ['test/support/in-fresh-debian.sh', root, ...packages];
      const output = await runProgram('unshare', [...isolated, ...script], LONG_MS);

      assert.match(output, /^== tsman_.*\.deb: \/usr\/bin\/tsman$/m);
      assert.match(output, /^== tsman-.*\.tgz: \/usr\/local\/bin\/tsman$/m);
      for (const line of [/^Hello from a container!$/gm, /^data is left alone$/gm])
        assert.is(output.match(line)?.length, 2, output);
      assert.not.match(output, /^missing/m);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

test.run();
