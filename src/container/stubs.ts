import type { RuntimeConfig } from '../oci/runtime-config.ts';
import type { Container } from './record.ts';

/** Mount points that starting a container makes in its upper layer, whatever the user asked for. */
const OUR_PATHS = [
  '/dev',
  '/proc',
  '/sys',
  '/run/.containerenv',
  '/run/tsman-init',
  '/run/secrets',
  '/etc/hosts',
  '/etc/hostname',
  '/etc/resolv.conf',
  '/etc/mtab',
];

/**
 * What starting a container makes in its upper layer to mount upon: nobody's change. As latin1 text
 * without the first slash, one character for each byte.
 */
export function stubPaths(
  config: Pick<RuntimeConfig, 'mounts' | 'linux'>,
  { spec }: Pick<Container, 'spec'>,
): string[] {
  const secrets = (spec.secrets ?? []).filter(({ type }) => type === 'mount');
  const devices = (config.linux.devices ?? []).map(({ path }) => path);
  return [
    ...OUR_PATHS,
    ...config.mounts.map(({ destination }) => destination),
    ...devices,
    ...secrets.map(({ target }) => target),
  ].map((path) => Buffer.from(path.replace(/^\/+|\/+$/g, '')).toString('latin1'));
}
