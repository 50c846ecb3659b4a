// run: root
// timeout: 600
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION } from '../src/base/version.ts';
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
)('run a container of an ordinary user in a fresh Debian, and leave the data when they go', () =>
  withPackages(async (directory, packages) => {
    const root = join(directory, 'root');
    mkdirSync(root);
    await runProgram('tar', ['-xf', await debianWith('uidmap', 'passt'), '-C', root], LONG_MS);
    const ours = packages.filter((path) => !/[_-]arm64(\.deb)?$/.test(path));
    assert.is(ours.length, 3);

    const isolated = ['--mount', '--pid', '--fork', '--uts', '--ipc'];
    const script = ['test/support/in-fresh-debian.sh', root, ...ours];
    const output = await runProgram('unshare', [...isolated, ...script], LONG_MS);

    assert.match(output, /^== tsman_.*\.deb: \/usr\/bin\/tsman$/m);
    assert.match(output, /^== tsman-.*\.tgz: \/usr\/local\/bin\/tsman$/m);
    assert.match(output, /^== tsman-[0-9.]*-x64: \/usr\/local\/bin\/tsman$/m);
    assert.match(output, /^without its script: tsman version /m);
    for (const line of [/^Hello from a container!$/gm, /^data is left alone$/gm])
      assert.is(output.match(line)?.length, 3, output);
    assert.not.match(output, /^missing/m);
  }),
);

requires(
  test,
  'root',
  'aarch64-gcc',
  'qemu-user',
)('are made for arm64 as well: static helper, the program, hello', () =>
  withPackages(async (directory, packages) => {
    const deb = packages.find((path) => path.endsWith('_arm64.deb')) ?? 'no package for arm64';
    await runProgram('dpkg-deb', ['--extract', deb, join(directory, 'arm64')], LONG_MS);
    const at = (name: string): string => join(directory, 'arm64/usr/lib/tsman', name);
    const helper = await runProgram('readelf', ['-hl', at('bin/tsman-helper')], LONG_MS);
    assert.match(helper, /Machine: +AArch64/);
    assert.not.match(helper, /INTERP/, 'it needs no library of the machine');
    const emulated = (...words: string[]): Promise<string> =>
      runProgram('qemu-aarch64-static', ['-L', '/usr/aarch64-linux-gnu', ...words], LONG_MS);
    assert.is((await emulated(at('bin/tsman-helper'), 'version')).trim(), VERSION);
    assert.is(await emulated(at('bin/tsman'), '--version'), `tsman version ${VERSION}\n`);
    const index = ['-xOf', at('share/hello.oci.tar'), 'index.json'];
    assert.match(await runProgram('tar', index, LONG_MS), /"architecture":"arm64"/);
    const tarball = packages.find((path) => path.endsWith('.tgz')) ?? '';
    const names = await runProgram('tar', ['-tzf', tarball], LONG_MS);
    for (const cpu of ['x64', 'arm64'])
      assert.match(names, new RegExp(`^package/cpu/${cpu}/bin/tsman-helper$`, 'm'));
  }),
);

/** Packs the program that is tested, and hands the packages over. */
async function withPackages(
  body: (directory: string, packages: readonly string[]) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync('/var/tmp/t');
  try {
    const made = join(directory, 'made');
    await runProgram('scripts/package', ['--out', made, '--bin', dirname(tsmanPath())], LONG_MS);
    await body(
      directory,
      readdirSync(made).map((name) => join(made, name)),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test.run();
