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

/** What the commands work on; a running container is called `idle`, one with 20,000 new files `files`. */
export interface BenchSubjects {
  readonly image: string;
  /** A docker-archive with one layer, a whole Debian, called FLAT. */
  readonly archive: string;
}

export const FLAT = 'localhost/flat:latest';
/** Started again it changes one file: no two commits of it are the same layer. */
export const MAKE_FILES =
  'date +%N > /stamp; [ ! -e /d ] || exit 0; mkdir /d; cd /d; for i in $(seq 200); do mkdir $i; for j in $(seq 100); do echo "$i $j" > $i/$j; done; done';

export function scenarios({ image, archive }: BenchSubjects): readonly Scenario[] {
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
      name: 'commit, 20,000 files',
      args: ['commit', '-q', 'files', 'made'],
      prepare: ['start', '--attach', 'files'],
      runs: 5,
      aim: 0.5,
    },
    { name: 'diff, 20,000 files', args: ['diff', 'files'], runs: 5 },
    {
      name: 'load (and unpack)',
      args: ['load', '-q', '-i', archive],
      prepare: ['rmi', '-f', FLAT],
      runs: 5,
      aim: 0.625,
    },
    { name: 'save', args: ['save', '-q', FLAT], runs: 5 },
    {
      name: 'rmi',
      args: ['rmi', FLAT],
      prepare: ['load', '-q', '-i', archive],
      runs: 5,
    },
    {
      name: 'pull',
      args: ['pull', '--quiet', '--tls-verify=false', image],
      prepare: ['rmi', '--force', image],
      runs: 5,
    },
  ];
}
