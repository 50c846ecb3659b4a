import * as fs from 'node:fs';
import { cpus, hostname, release, totalmem } from 'node:os';
import { readIfExists } from '../base/file.ts';
import { VERSION } from '../base/version.ts';
import { readState } from '../container/state.ts';
import { helperPath } from '../helper/location.ts';
import { listImages } from '../storage/images.ts';
import { defineCommand } from './command.ts';
import type { Engine } from './engine.ts';
import { printFormatted } from './formatted.ts';
import { existingContainers } from './selection.ts';

export const infoCommand = defineCommand({
  paths: [['info'], ['system', 'info']],
  category: 'System',
  summary: 'show what tsman found on this machine and where it keeps things',
  usage: '',
  examples: [['One field', "tsman info --format '{{.Store.GraphRoot}}'"]],
  options: {
    format: { kind: 'text', short: 'f', value: 'TEMPLATE', help: 'json, or a Go template' },
  },
  arguments: [0, 0],
  async run(options, _args, context) {
    const facts = collect(context.openEngine());
    await printFormatted(facts, options.format, context.stdout);
    return 0;
  },
});

function collect(engine: Engine): Record<string, unknown> {
  const states = existingContainers(engine).map(
    ({ id }) => readState(engine.directories, id).status,
  );
  const count = (status: string): number => states.filter((state) => state === status).length;
  return {
    host: {
      arch: process.arch === 'x64' ? 'amd64' : process.arch,
      os: process.platform,
      kernel: release(),
      hostname: hostname(),
      distribution: distribution(),
      cpus: cpus().length,
      memTotal: totalmem(),
      cgroupVersion: fs.existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'v2' : 'hybrid',
      idMappings: {
        kind: engine.userns.kind,
        uidmap: engine.userns.uidMappings,
        gidmap: engine.userns.gidMappings,
      },
      security: { rootless: engine.userns.kind !== 'none', seccompEnabled: true },
      helper: { path: helperPath() },
      pasta: { executable: findProgram('pasta') },
      slirp4netns: { executable: findProgram('slirp4netns') },
    },
    store: {
      graphRoot: engine.directories.dataRoot,
      runRoot: engine.directories.runRoot,
      graphDriverName: 'overlay',
      imageStore: { number: listImages(engine.storage).length },
      containerStore: {
        number: states.length,
        running: count('running'),
        paused: count('paused'),
        stopped: states.length - count('running') - count('paused'),
      },
    },
    version: { Version: VERSION, Runtime: `${process.release.name} ${process.version}` },
  };
}

function distribution(): { distribution: string; version: string } {
  const text = readIfExists('/etc/os-release') ?? '';
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { distribution: field('ID'), version: field('VERSION_ID') };
}

function findProgram(name: string): string {
  const found = (process.env['PATH'] ?? '')
    .split(':')
    .map((directory) => `${directory}/${name}`)
    .find((path) => fs.existsSync(path));
  return found ?? '';
}
