import { runEngine, runMany, timeTogether } from '../engines.ts';
import { residentShare } from '../memory.ts';
import type { Bench, Scenario } from '../scenario.ts';

const MANY = 500;
const FEW = 10;
const STREAM_MB = 200;

const run =
  (...options: readonly string[]) =>
  ({ image }: Bench) => ['run', '--rm', ...options, image, 'true'];

const remove = (...names: readonly string[]) => ['rm', '--force', '--time', '0', ...names];
/** A container that ends by itself when it is told to. */
const POLITE = ['bash', '-c', 'trap exit TERM; while :; do sleep 1000 & wait $!; done'];
const detached = (image: string, name: string) => [
  ...['run', '--detach', '--network', 'none', '--name', name, image],
  ...POLITE,
];

const names = (count: number) => Array.from({ length: count }, (_, index) => `many-${index}`);

const lifeOfOne: readonly Scenario[] = [
  {
    name: 'run --rm --network none',
    args: run('--network', 'none'),
    runs: 30,
    aim: { atMost: 0.2 },
    cpu: true,
    peak: true,
  },
  { name: 'run --rm --network host', args: run('--network', 'host'), runs: 30, cpu: true },
  {
    name: 'run -d',
    setup: ({ image }, engine) => void runEngine(engine, ...detached(image, 'one')),
    args: ({ image }) => detached(image, 'one'),
    prepare: () => [remove('one')],
    cleanup: (_, engine) => void runEngine(engine, ...remove('one')),
    runs: 20,
    aim: { atMost: 0.3 },
    cpu: true,
  },
  {
    name: 'exec',
    args: () => ['exec', 'idle', 'true'],
    runs: 30,
    aim: { atMost: 0.25 },
    cpu: true,
  },
  {
    name: 'stop',
    setup: ({ image }, engine) => void runEngine(engine, ...detached(image, 'one')),
    args: () => ['stop', 'one'],
    prepare: () => [['start', 'one']],
    cleanup: (_, engine) => void runEngine(engine, ...remove('one')),
    runs: 20,
    cpu: true,
  },
  {
    name: 'rm -f',
    args: () => remove('one'),
    prepare: ({ image }) => [detached(image, 'one')],
    runs: 20,
    cpu: true,
  },
];

const lists: readonly Scenario[] = [
  { name: '--version', args: () => ['--version'], runs: 50 },
  { name: 'ps', args: () => ['ps'], runs: 40, aim: { atMost: 0.5 }, cpu: true },
  { name: 'inspect', args: () => ['inspect', 'idle'], runs: 40, aim: { atMost: 0.5 }, cpu: true },
];

const amounts: readonly Scenario[] = [
  {
    name: `${STREAM_MB} MB through stdout`,
    args: ({ image }) => [
      ...['run', '--rm', '--network', 'none', image],
      ...['head', '--bytes', `${STREAM_MB}M`, '/dev/zero'],
    ],
    pipe: true,
    runs: 6,
    aim: { atMost: 0.2 },
    cpu: true,
    peak: true,
  },
  {
    name: 'resident, a container at rest',
    measure: ({ image }, engine) => {
      const share = residentShare(() => runEngine(engine, ...detached(image, 'at-rest')));
      runEngine(engine, ...remove('at-rest'));
      return share;
    },
    unit: 'MB',
    runs: 3,
    aim: { own: 0.3 },
  },
  {
    name: `run -d, ${FEW} at once`,
    measure: ({ image }, engine) =>
      timeTogether(
        engine,
        names(FEW).map((name) => detached(image, name)),
      ).finally(() => runEngine(engine, ...remove(...names(FEW)))),
    unit: 'ms',
    runs: 3,
  },
  {
    name: `stop of ${FEW}`,
    args: () => ['stop', ...names(FEW)],
    setup: ({ image }, engine) => {
      for (const name of names(FEW)) runEngine(engine, ...detached(image, name));
    },
    prepare: () => [['start', ...names(FEW)]],
    cleanup: (_, engine) => void runEngine(engine, ...remove(...names(FEW))),
    runs: 6,
    cpu: true,
  },
  {
    name: `ps -a, ${MANY} containers`,
    setup: ({ image }, engine) =>
      runMany(
        engine,
        names(MANY).map((name) => ['create', '--pull', 'never', '--name', name, image, 'true']),
      ),
    args: () => ['ps', '--all'],
    runs: 12,
    aim: { atMost: 0.3 },
    cpu: true,
    peak: true,
  },
  {
    name: `rm of ${MANY}`,
    measure: (_, engine) => timeTogether(engine, [['rm', ...names(MANY)]]),
    unit: 'ms',
    runs: 1,
  },
];

export const lifeScenarios: readonly Scenario[] = [...lists, ...lifeOfOne, ...amounts];
