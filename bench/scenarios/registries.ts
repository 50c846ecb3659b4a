import { runEngine } from '../engines.ts';
import type { Scenario } from '../scenario.ts';

export const registryScenarios: readonly Scenario[] = [
  {
    name: 'pull',
    store: 'pull',
    setup: ({ image }, engine) => {
      runEngine(engine, 'pull', '--quiet', '--tls-verify=false', image);
    },
    args: ({ image }) => ['pull', '--quiet', '--tls-verify=false', image],
    prepare: ({ image }) => [['rmi', '--force', image]],
    runs: 5,
    cpu: true,
    peak: { atMost: 0.5 },
  },
];
