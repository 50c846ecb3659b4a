// timeout: 900
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allCommands } from '../src/commands/table.ts';
import { isOver, withExampleWorld } from './support/example-world.ts';
import { requires } from './support/requires.ts';

const test = suite('examples in the help');

/** Examples that are not run, and why; test/doc-examples.test.ts parses these as well. */
const NOT_RUN: readonly (readonly [pattern: RegExp, because: string])[] = [
  [
    /quay\.io|registry\.(example\.com|lan)|docker:\/\/|docker\.io\/|\bpull\b/,
    'needs a registry on the network',
  ],
  [
    /\bsearch\b|manifest push|--platform|run --rm (-it debian|-v)/,
    'needs a registry on the network',
  ],
  [/\bssh\b|\bscp\b|@server/, 'needs another machine'],
  [/ -it |\battach\b|unshare$/, 'needs a terminal'],
  [/logs -f|--names -f|events --filter|condition healthy/, 'goes on until it is interrupted'],
  [/\bpass show\b|\bjq\b|mmdebstrap|\bzstd -o/, 'needs a program that may not be installed'],
  [/unshare rm -r|^source |completion fish/, 'is about files of the reader'],
  [/docker\.img|\b(720db43d5312|d4a213d34319|e60cf2c27adb)/, 'has an ID of another machine'],
  [
    /debian:12\.8|postgres -e|\/nginx|\/var\/log|\/srv\/data|psql/,
    'has an image or a directory of another machine',
  ],
  [/^tsman (image )?(un)?mount/, 'is for the shell of tsman unshare'],
  [/--memory 2g|healthcheck run|\b(un)?pause\b/, 'needs a delegated cgroup, or a health check'],
];

const IMAGES = [
  'debian:12',
  'debian:latest',
  'nginx:1.27',
  'nginx:latest',
  'web:amd64',
  'web:arm',
  'web:arm64',
  'web:latest',
];

/** Steps that an example needs besides, by the command. */
const BEFORE: Readonly<Record<string, string>> = {
  create: 'rm -f job.id; tsman rm -f web',
  run: 'tsman rm -f web',
  init: 'tsman stop -t 0 web; tsman create --name new nginx',
  'container clone': 'tsman rm -f web2',
  'manifest add': 'tsman manifest rm --ignore web; tsman untag web web; tsman manifest create web',
  'manifest annotate':
    'tsman manifest rm --ignore web; tsman untag web web; tsman manifest create web web:arm',
  'manifest create': 'tsman manifest rm --ignore web; tsman untag web web',
  'manifest exists':
    'tsman manifest rm --ignore web; tsman untag web web; tsman manifest create web',
  'manifest inspect':
    'tsman manifest rm --ignore web; tsman untag web web; tsman manifest create web web:arm',
  'manifest remove':
    'tsman manifest rm --ignore web; tsman untag web web; tsman manifest create web web:arm',
  'manifest rm': 'tsman manifest rm --ignore web; tsman untag web web; tsman manifest create web',
  'network disconnect': 'tsman network connect backend postgres1',
  'network create': 'tsman network rm -f shop; tsman network rm -f backend',
  'network rm': 'tsman rm -fa -t 0; tsman network create shop; tsman network create backend',
  'secret create': 'tsman secret rm db; export DB_PASSWORD=x',
  'volume create': 'tsman volume rm data',
  'volume rm': 'tsman volume create data; tsman volume create cache',
};

requires(
  test,
  'user',
  'userns',
  'subids',
  'tun',
  'pasta',
)('run, or it is said why not', () =>
  withExampleWorld(IMAGES, async (run) => {
    const failed: string[] = [];
    let count = 0;
    for (const command of new Set(await Promise.all(allCommands().map(({ load }) => load())))) {
      const name = command.paths[0]?.join(' ') ?? '';
      const lines = command.examples.map(([, line]) => line);
      for (const line of lines.filter((it) => !NOT_RUN.some(([pattern]) => pattern.test(it)))) {
        const { status, stderr } = run(line, BEFORE[name]);
        count++;
        // What the program in the container answers does not count: it stands for nginx and others.
        if (status === 125 || isOver(status)) {
          failed.push(`${line}: ${stderr.trim()}`);
          process.stderr.write(`${failed.at(-1)}\n`);
        }
      }
    }
    assert.equal(failed, []);
    assert.ok(count > 100, `${count} examples were run`);
  }),
);

test('leave none unexplained that nothing is like any more', async () => {
  const commands = new Set(await Promise.all(allCommands().map(({ load }) => load())));
  const lines = [...commands].flatMap(({ examples }) => examples.map(([, line]) => line));
  const idle = NOT_RUN.filter(([pattern]) => !lines.some((line) => pattern.test(line)));

  assert.equal(
    idle.map(([pattern]) => String(pattern)),
    [],
  );
});

test.run();
