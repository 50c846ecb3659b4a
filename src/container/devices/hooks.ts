import * as fs from 'node:fs';
import type { PlanRecord } from '../../helper/plan.ts';
import type { RuntimeConfig } from '../../oci/runtime-config.ts';
import type { Container } from '../record.ts';

/** Where hooks find the container's configuration, and its root while they run. */
function bundlePath(runDirectory: string): string {
  return `${runDirectory}/bundle`;
}

/** The bundle of a container with hooks (runtime-spec bundle.md), written before each start. */
export function writeBundle(runDirectory: string, config: RuntimeConfig): void {
  if (config.hooks?.createContainer === undefined) return;
  const bundle = bundlePath(runDirectory);
  fs.mkdirSync(`${bundle}/rootfs`, { recursive: true, mode: 0o700 });
  const shown: RuntimeConfig = { ...config, root: { ...config.root, path: `${bundle}/rootfs` } };
  fs.writeFileSync(`${bundle}/config.json`, JSON.stringify(shown), { mode: 0o600 });
}

/** The steps that run the hooks, before the pivot. */
export function hookSteps(
  { id }: Container,
  config: RuntimeConfig,
  runDirectory: string,
): PlanRecord[] {
  const hooks = config.hooks?.createContainer;
  if (hooks === undefined) return [];
  const bundle = bundlePath(runDirectory);
  // runtime.md, "State". The pid is as the container counts: the host's is not known yet.
  const { ociVersion, annotations = {} } = config;
  const state = JSON.stringify({ ociVersion, id, status: 'creating', pid: 1, bundle, annotations });
  return [
    ['bundle-root', `${bundle}/rootfs`],
    ...hooks.map(
      ({ path, args = [path], env = [], timeout = 0 }): PlanRecord => [
        ...(['hook', state, timeout, env.length, path] as const),
        ...[...env, ...args],
      ],
    ),
  ];
}
