const REST = 'tsman runs containers on one machine and has no cluster';
const PODS = 'there are no pods; --network container:NAME shares a network';
const REMOTE = 'tsman has no daemon and no remote engine; ssh HOST tsman works';
const NO_BUILD = 'tsman does not build images; buildah does, and tsman load takes them';
const UNITS = 'write a systemd unit that runs tsman, or use --restart';

/** Commands of Docker and Podman that tsman does not have, and what to do instead. */
const ABSENT: Readonly<Record<string, string>> = {
  app: REST,
  artifact: 'OCI artifacts are not stored; oras copies them',
  'auto-update': 'pull the image and make the container anew',
  build: NO_BUILD,
  builder: NO_BUILD,
  buildx: NO_BUILD,
  'image build': NO_BUILD,
  checkpoint: 'needs root and CRIU',
  compose: 'use docker-compose or podman-compose with the commands of tsman',
  config: REST,
  'container checkpoint': 'needs root and CRIU',
  'container restore': 'needs root and CRIU',
  'container runlabel': 'run the command of the label yourself',
  context: REMOTE,
  desktop: 'tsman has no desktop program',
  engine: REMOTE,
  extension: 'tsman has no extensions',
  farm: REMOTE,
  'generate spec': UNITS,
  'generate systemd': UNITS,
  generate: UNITS,
  'image sign': 'images are not signed; cosign does',
  'image trust': 'edit policy.json',
  kube: PODS,
  machine: 'tsman runs on Linux itself and needs no virtual machine',
  mcp: 'tsman has no such service',
  model: 'tsman runs no models',
  node: REST,
  offload: REMOTE,
  play: PODS,
  plugin: 'tsman has no plugins',
  pod: PODS,
  quadlet: UNITS,
  sandbox: 'tsman has no sandboxes',
  scan: 'use a scanner such as trivy on tsman save',
  scout: 'use a scanner such as trivy on tsman save',
  service: REST,
  stack: REST,
  swarm: REST,
  'system connection': REMOTE,
  'system dial-stdio': REMOTE,
  'system migrate': 'there is nothing to migrate',
  'system renumber': 'there are no lock numbers',
  'system service': 'tsman has no daemon and no socket',
  'volume reload': 'there are no volume plugins',
  'volume update': REST,
  trust: 'images are not signed; policy.json says what may be pulled',
};

/** Why a command of Docker or Podman is not there: undefined when it is no such command. */
export function absentCommand(
  words: readonly string[],
): { command: string; because: string } | undefined {
  for (const length of [2, 1]) {
    const command = words.slice(0, length).join(' ');
    const because = words.length >= length ? ABSENT[command] : undefined;
    if (because !== undefined) return { command, because };
  }
  return undefined;
}
