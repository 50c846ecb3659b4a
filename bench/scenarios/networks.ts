import { memoryAtRest } from '../memory.ts';
import type { Scenario } from '../scenario.ts';

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
];
