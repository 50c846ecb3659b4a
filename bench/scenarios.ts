/** One row of the table: the same words for both engines. */
export interface Scenario {
  readonly name: string;
  readonly args: readonly string[];
  /** Before each measured run. */
  readonly prepare?: readonly string[];
  readonly runs: number;
  /** At most this part of podman's time (issue "First light"). */
  readonly aim?: number;
}

/** The image is called `image`, a running container `idle`. */
export function scenarios(image: string): readonly Scenario[] {
  const run = (...options: readonly string[]) => ['run', '--rm', ...options, image, 'true'];
  return [
    { name: '--version', args: ['--version'], runs: 50 },
    { name: 'run --rm --network none', args: run('--network', 'none'), runs: 30, aim: 0.2 },
    { name: 'run --rm --network host', args: run('--network', 'host'), runs: 30 },
    { name: 'run --rm (default network)', args: run(), runs: 30 },
    { name: 'exec', args: ['exec', 'idle', 'true'], runs: 30, aim: 0.3 },
    { name: 'ps', args: ['ps'], runs: 40, aim: 0.6 },
    { name: 'images', args: ['images'], runs: 40 },
    {
      name: 'pull',
      args: ['pull', '--quiet', '--tls-verify=false', image],
      prepare: ['rmi', '--force', image],
      runs: 5,
    },
  ];
}
