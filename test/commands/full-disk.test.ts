import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { probeDirectory } from '../support/probe.ts';
import { runProgram } from '../support/programs.ts';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { tsmanPath } from '../support/tsman.ts';

const test = suite('a store on a full disk');
const withUserns = requires(test, 'userns');

const RUN = 'run --network none';

/** What commands print, each followed by its exit code, on a tmpfs that is filled before the word FULL. */
async function onSmallDisk(options: string, fill: string, ...commands: string[]): Promise<string> {
  let output = '';
  await withScratch(async (_tsman, scratch) => {
    const mount = scratch.makeDirectory('small');
    const script = [
      `mount -t tmpfs -o ${options} tmpfs ${mount}`,
      `tsman() { ${tsmanPath()} --root ${mount}/d --runroot ${scratch.directory}/r2 "$@"; echo "= $?"; }`,
      `tsman load -q -i ${join(await probeDirectory(), 'probe.tar')}`,
      `tsman ${RUN} -d --name web localhost/probe probe sleep`,
      `tsman ${RUN} --name done localhost/probe probe exit 3`,
      `cd ${mount}; ${fill}`,
      'echo FULL',
      ...commands.map((command) => `tsman ${command}`),
      `rm -r ${mount}/fill`,
      `tsman ${RUN} --rm localhost/probe probe exit 4`,
      'tsman ps -aq',
    ].join('\n');
    output = await runProgram('unshare', ['-rm', 'sh', '-c', `exec 2>&1\n${script}`]);
  });
  return output.slice(output.indexOf('FULL\n') + 'FULL\n'.length);
}

const COMMANDS = [
  `${RUN} -d --name new localhost/probe probe sleep`,
  'exec web probe exit 5',
  'stop -t 0 web',
  'rm web',
  'rm -f done',
];

for (const [what, options, fill] of [
  ['bytes', 'size=16m', 'cat /dev/zero >fill 2>/dev/null'],
  [
    'inodes',
    'size=64m,nr_inodes=300',
    'mkdir fill; i=0; while true >fill/$i; do i=$((i+1)); done 2>/dev/null',
  ],
] as const)
  withUserns(`without ${what}: refuses what is new, ends and removes what is there`, async () => {
    const output = await onSmallDisk(options, fill, ...COMMANDS);

    const [made, executed, stopped, removed, forced, again, list] = output.split(/^= (?=\d+$)/m);
    assert.match(made ?? '', /^Error: .*(full|no space).*\nhint: .*system prune/i);
    assert.match(executed ?? '', /^125\n/);
    assert.match(stopped ?? '', /^5\n/);
    assert.match(removed ?? '', /^0\nweb\n/);
    assert.match(forced ?? '', /^0\ndone\n/);
    assert.match(again ?? '', /^0\n/);
    assert.match(list ?? '', /^4\n$/);
    assert.not.match(output, /\n\s+at /);
  });

test.run();
