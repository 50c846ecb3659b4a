import { UsageError } from '../base/error.ts';
import { parseMoment } from '../base/time.ts';
import { DEFAULT_NETWORK_NAME } from '../network/constants.ts';
import { isDefaultName } from '../network/network.ts';
import type { Container } from './record.ts';
import type { ContainerState } from './state.ts';

type Test = (container: Container, state: ContainerState) => boolean;

export interface Filters {
  /** Between keys all must hold, between values of one key any; but of labels and annotations all. */
  readonly byKey: ReadonlyMap<string, readonly Test[]>;
  /** The user asked for states: containers that do not run count without --all. */
  readonly asksForState: boolean;
}

const STATUSES = [
  'created',
  'running',
  'paused',
  'exited',
  'stopping',
  'stopped',
  'unknown',
  'dead',
  'restarting',
  'removing',
];

/** As Docker, and Podman since 6. */
const ALL_HOLD = /^(label|annotation)!?$/;

/** What a filter asks of others than the container and its state. */
export interface FilterWorld {
  /** When a container named in `before=` or `since=` was made. */
  createdAt(name: string): Date;
  shouldStartOnBoot(container: Container): boolean;
}

/** Parses `--filter KEY=VALUE` of containers (podman-ps(1)). @throws UsageError */
export function parseFilters(values: readonly string[], world: FilterWorld): Filters {
  const byKey = new Map<string, Test[]>();
  for (const text of values) {
    const match = /^([a-z-]+!?)=(.*)$/s.exec(text);
    if (match === null)
      throw new UsageError(`option --filter: ${JSON.stringify(text)} is not KEY=VALUE`);
    const [, key = '', value = ''] = match;
    const test = makeTest(key, value, world);
    if (ALL_HOLD.test(key)) byKey.set(text, [test]);
    else byKey.set(key, [...(byKey.get(key) ?? []), test]);
  }
  return { byKey, asksForState: byKey.has('status') || byKey.has('exited') };
}

export function matchesFilters(
  { byKey }: Filters,
  container: Container,
  state: ContainerState,
): boolean {
  return [...byKey.values()].every((tests) => tests.some((test) => test(container, state)));
}

function isOnNetwork({ networkMode, networks = [] }: Container['spec'], value: string): boolean {
  const name = isDefaultName(value) ? DEFAULT_NETWORK_NAME : value;
  if (networkMode === 'bridge') return networks.some(({ network }) => network === name);
  return networkMode === value || (networkMode === 'private' && value === 'pasta');
}

function makeTest(key: string, value: string, world: FilterWorld): Test {
  switch (key) {
    case 'id':
      return ({ id }) => id.startsWith(value);
    case 'name':
      return nameTest(value);
    case 'label':
      return ({ spec }) => matchesPair(spec.labels, value);
    case 'label!':
      return ({ spec }) => !matchesPair(spec.labels, value);
    case 'annotation':
      return ({ spec }) => matchesPair(spec.annotations, value);
    case 'annotation!':
      return ({ spec }) => !matchesPair(spec.annotations, value);
    case 'pod':
      // There are none yet.
      return () => false;
    case 'status':
      if (!STATUSES.includes(value))
        throw new UsageError(`option --filter status=${value}: not one of ${STATUSES.join(', ')}`);
      return (_container, state) => state.status === (value === 'stopped' ? 'exited' : value);
    case 'exited':
      return (_container, state) =>
        state.status === 'exited' && String(state.exitCode ?? 0) === value;
    case 'ancestor':
      return ancestorTest(value);
    case 'before':
      return ({ createdAt: own }) => new Date(own) < world.createdAt(value);
    case 'since':
      return ({ createdAt: own }) => new Date(own) > world.createdAt(value);
    case 'until':
      return ({ createdAt: own }) => new Date(own) < parseMoment('--filter until', value);
    case 'health':
      return (_container, state) => (state.health ?? 'none') === value;
    case 'restart-policy':
      return ({ spec }) => (spec.restart?.name ?? 'no') === value;
    case 'should-start-on-boot':
      return (container) => String(world.shouldStartOnBoot(container)) === value;
    case 'network':
      return ({ spec }) => isOnNetwork(spec, value);
    case 'volume':
      return ({ spec }) =>
        spec.volumes.some(
          ({ name, source, destination }) =>
            name === value || source === value || destination === value,
        );
    case 'command':
      return ({ spec }) => (spec.entrypoint[0] ?? spec.command[0]) === value;
    default:
      throw new UsageError(`option --filter: unknown key ${JSON.stringify(key)}`);
  }
}

/** A regular expression, as in Docker and Podman. */
function nameTest(pattern: string): Test {
  try {
    const expression = new RegExp(pattern.replace(/^\//, ''));
    return ({ name }) => expression.test(name);
  } catch {
    throw new UsageError(`option --filter name=${pattern}: not a regular expression`);
  }
}

function matchesPair(record: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  if (equals === -1) return Object.hasOwn(record, wanted);
  return record[wanted.slice(0, equals)] === wanted.slice(equals + 1);
}

/** An image by ID, by whole name, or by name without registry or tag. */
function ancestorTest(value: string): Test {
  return ({ imageID, spec }) =>
    imageID?.startsWith(value.replace(/^sha256:/, '')) === true ||
    spec.imageName === value ||
    spec.imageName.endsWith(`/${value}`) ||
    spec.imageName.replace(/:[^/:]*$/, '') === value ||
    spec.imageName.replace(/:[^/:]*$/, '').endsWith(`/${value}`);
}
