// timeout: 300
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { docExamples, type Example } from './support/doc-examples.ts';
import { isOver, withExampleWorld } from './support/example-world.ts';
import { requires } from './support/requires.ts';

const test = suite('examples in the docs');

/** Examples that are not run here, and why; test/doc-examples.test.ts parses these as well. */
const NOT_RUN: readonly (readonly [pattern: RegExp, because: string])[] = [
  [/^README\.md:/, 'test/tour.test.ts runs these, and compares what comes out'],
  [/: (docker|podman) save/, 'needs an image of Docker or Podman'],
  [/: Exec(Start|Stop)=/, 'is a line of a systemd unit'],
  [/: bin\/tsman/, 'is for a checkout; npm start ends with it'],
  [/ ~\//, 'is about files of the reader'],
  [/\/srv\/x/, 'has a directory of another machine'],
];

const IMAGES = [
  'app:latest',
  'debian:bookworm',
  'debian:latest',
  'nginx:latest',
  'postgres:latest',
];

/** Steps that an example needs besides. */
const BEFORE: readonly (readonly [pattern: RegExp, steps: string])[] = [
  [/run -d --name/, 'tsman rm -f -t 0 web db'],
  [/network create/, 'tsman rm -fa -t 0; tsman network rm shop'],
  [/volume create/, 'tsman volume rm -af'],
  [/start web/, 'tsman stop -t 0 web'],
];

function isRun({ where, line }: Example): boolean {
  return !NOT_RUN.some(([pattern]) => pattern.test(`${where}: ${line}`));
}

requires(
  test,
  'user',
  'userns',
  'subids',
  'tun',
  'pasta',
)('run, or it is said why not', () =>
  withExampleWorld(IMAGES, (run) => {
    const failed: string[] = [];
    const examples = docExamples().filter(isRun);
    for (const { where, line } of examples) {
      const before = BEFORE.filter(([pattern]) => pattern.test(line)).map(([, steps]) => steps);
      // Somebody on this machine may have the port.
      const { status, stderr } = run(line.replace('8080:80', '127.0.0.1::80'), before.join('; '));
      // What the program in the container answers does not count: it stands for nginx and others.
      if (status === 125 || isOver(status)) failed.push(`${where}: ${line}: ${stderr.trim()}`);
    }
    assert.equal(failed, []);
    assert.ok(examples.length > 20, `${examples.length} examples were run`);
  }),
);

test('leave none unexplained that nothing is like any more', () => {
  const lines = docExamples().map(({ where, line }) => `${where}: ${line}`);
  const idle = NOT_RUN.filter(([pattern]) => !lines.some((line) => pattern.test(line)));

  assert.equal(
    idle.map(([pattern]) => String(pattern)),
    [],
  );
});

test.run();
