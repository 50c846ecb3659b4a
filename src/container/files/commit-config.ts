import type { ContainerDefaults } from '../../oci/image.ts';
import type { RuntimeConfig } from '../../oci/runtime-config.ts';
import type { Container } from '../record.ts';

/** Set by us for every container; an image must not carry one container's. */
const OUR_VARIABLES = new Set(['container', 'HOSTNAME', 'TERM', 'HOME']);

/** What a container's settings become in an image: the defaults of containers made from it. */
export function commitDefaults(
  container: Container,
  config: RuntimeConfig,
  includeVolumes: boolean,
): ContainerDefaults {
  const { spec } = container;
  const environment = config.process.env.filter(
    (entry) => !OUR_VARIABLES.has(entry.slice(0, entry.indexOf('='))),
  );
  const ports = [
    ...spec.exposedPorts,
    ...spec.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`),
  ];
  const volumes = includeVolumes ? spec.volumes.map(({ destination }) => destination) : [];
  return {
    Env: environment,
    ...(spec.entrypoint.length > 0 ? { Entrypoint: spec.entrypoint } : {}),
    ...(spec.command.length > 0 ? { Cmd: spec.command } : {}),
    ...(spec.user === '' ? {} : { User: spec.user }),
    WorkingDir: config.process.cwd,
    ...(Object.keys(spec.labels).length > 0 ? { Labels: spec.labels } : {}),
    ...(ports.length > 0 ? { ExposedPorts: emptySet(ports) } : {}),
    ...(volumes.length > 0 ? { Volumes: emptySet(volumes) } : {}),
  };
}

function emptySet(keys: readonly string[]): Record<string, object> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}
