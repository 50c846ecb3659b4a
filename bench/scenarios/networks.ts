import { memoryAtRest } from '../memory.ts';
import { measurePort, publishServer, removeServer, timesHostLoopback } from '../port.ts';
import type { Scenario } from '../scenario.ts';

const REQUESTS = 2000;
const MEGABYTES = 500;

/** One client of a port published on 127.0.0.1; bench/port.c at both ends. `npm run bench -- port:` runs them all. */
const ports: readonly Scenario[] = [
  {
    name: 'port: a request',
    setup: publishServer,
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
    cleanup: removeServer,
  },
];

export const networkScenarios: readonly Scenario[] = [
  {
    name: 'run --rm (default network)',
    args: ({ image }) => ['run', '--rm', image, 'true'],
    runs: 30,
    cpu: true,
  },
  {
    name: 'memory of a container at rest',
    measure: ({ image }, engine) => memoryAtRest(engine, image),
    unit: 'MB',
    runs: 1,
  },
  ...ports,
];
