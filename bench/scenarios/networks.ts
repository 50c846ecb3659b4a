import { runEngine } from '../engines.ts';
import { memoryAtRest, residentShare } from '../memory.ts';
import { measurePort, publishServer, removeServer, timesHostLoopback } from '../port.ts';
import type { Bench, FigureScenario, Scenario, Words } from '../scenario.ts';

const REQUESTS = 2000;
const MEGABYTES = 500;
const CROWD = 50;

const runTrue = ({ image }: Bench): Words => ['run', '--rm', image, 'true'];
const detached = (image: string, name: string): Words => [
  ...['run', '--detach', '--name', name, image],
  ...['sleep', '1000000'],
];
const remove = (names: Words): Words => ['rm', '--force', '--time', '0', ...names];

/** One client of a port published on 127.0.0.1; bench/port.c at both ends. `npm run bench -- port:` runs them all. */
const figures: readonly FigureScenario[] = [
  {
    name: 'port: a request',
    measure: (bench, engine) => measurePort(bench, engine, 'requests', REQUESTS)[0],
    unit: 'µs',
    runs: 7,
  },
  {
    name: 'port: request / host loopback',
    measure: (bench, engine) => timesHostLoopback(bench, engine, REQUESTS),
    unit: 'x',
    runs: 7,
    aim: { own: 1.5 },
  },
  {
    name: 'port: requests a second',
    measure: (bench, engine) => measurePort(bench, engine, 'requests', REQUESTS)[1],
    unit: '1/s',
    runs: 7,
    aim: { atLeast: 2 },
  },
  {
    name: 'port: a byte and its answer',
    measure: (bench, engine) => measurePort(bench, engine, 'echo', REQUESTS)[0],
    unit: 'µs',
    runs: 7,
  },
  {
    name: 'port: throughput out',
    measure: (bench, engine) => measurePort(bench, engine, 'out', MEGABYTES)[0],
    unit: 'MB/s',
    runs: 7,
    aim: { atLeast: 1 },
  },
  {
    name: 'port: throughput in',
    measure: (bench, engine) => measurePort(bench, engine, 'in', MEGABYTES)[0],
    unit: 'MB/s',
    runs: 7,
    aim: { atLeast: 1 },
  },
];

/** Each has a server of its own, so that one alone can be chosen. */
const ports = figures.map(
  (scenario): Scenario => ({ ...scenario, setup: publishServer, cleanup: removeServer }),
);

export const networkScenarios: readonly Scenario[] = [
  {
    name: 'run --rm (default network)',
    args: runTrue,
    runs: 30,
    aim: { atMost: 0.4 },
    cpu: true,
  },
  {
    name: 'run --rm, another one on it',
    setup: ({ image }, engine) => void runEngine(engine, ...detached(image, 'company')),
    args: runTrue,
    cleanup: (_, engine) => void runEngine(engine, ...remove(['company'])),
    runs: 30,
    aim: { atMost: 0.25 },
    cpu: true,
  },
  {
    name: `memory, each of ${CROWD}`,
    measure: ({ image }, engine) => {
      const names = Array.from({ length: CROWD }, (_, index) => `crowd-${index}`);
      const share = residentShare(() => {
        for (const name of names) runEngine(engine, ...detached(image, name));
      });
      runEngine(engine, ...remove(names));
      return share / CROWD;
    },
    unit: 'MB',
    runs: 1,
    aim: { own: 2 },
  },
  {
    name: 'memory of a container at rest',
    measure: ({ image }, engine) => memoryAtRest(engine, image),
    unit: 'MB',
    runs: 1,
  },
  ...ports,
];
