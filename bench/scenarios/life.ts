import type { Bench, Scenario } from '../scenario.ts';

const run =
  (...options: readonly string[]) =>
  ({ image }: Bench) => ['run', '--rm', ...options, image, 'true'];

export const lifeScenarios: readonly Scenario[] = [
  { name: '--version', args: () => ['--version'], runs: 50 },
  {
    name: 'run --rm --network none',
    args: run('--network', 'none'),
    runs: 30,
    aim: { atMost: 0.2 },
    cpu: true,
  },
  { name: 'run --rm --network host', args: run('--network', 'host'), runs: 30, cpu: true },
  {
    name: 'exec',
    args: () => ['exec', 'idle', 'true'],
    runs: 30,
    aim: { atMost: 0.25 },
    cpu: true,
  },
  { name: 'ps', args: () => ['ps'], runs: 40, aim: { atMost: 0.5 } },
];
