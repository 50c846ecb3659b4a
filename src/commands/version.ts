import { spawnSync } from 'node:child_process';
import { release } from 'node:os';
import { VERSION } from '../base/version.ts';
import { helperPath } from '../helper/location.ts';
import { defineCommand } from './command.ts';

export const versionCommand = defineCommand({
  paths: [['version']],
  category: 'System',
  summary: 'show the versions of tsman, its helper and the kernel',
  usage: '',
  examples: [
    ['Everything', 'tsman version'],
    ['For a script', "tsman version --format '{{.Client.Version}}'"],
  ],
  options: {
    format: { kind: 'text', short: 'f', value: 'TEMPLATE', help: 'json, or a Go template' },
  },
  arguments: [0, 0],
  async run(options, _args, { stdout }) {
    const facts = versions();
    if (options.format === undefined) stdout.write(asText(facts));
    else await (await import('./formatted.ts')).printFormatted(facts, options.format, stdout);
    return 0;
  },
});

type Versions = ReturnType<typeof versions>;

/** Docker's and Podman's names. Client and server are the same program. */
function versions() {
  const Arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const common = {
    Version: VERSION,
    Os: 'linux',
    Arch,
    OsArch: `linux/${Arch}`,
    Runtime: `${process.release.name} ${process.version}`,
  };
  return {
    Client: common,
    Server: { ...common, KernelVersion: release() },
    Helper: { Path: helperPath(), Version: helperVersion() },
  };
}

function helperVersion(): string {
  const { stdout } = spawnSync(helperPath(), ['version'], { encoding: 'utf8', timeout: 5000 });
  return typeof stdout === 'string' && stdout !== '' ? stdout.trim() : 'not found';
}

function asText({ Client, Server, Helper }: Versions): string {
  const rows = [
    ['Version', Client.Version],
    ['Runtime', Client.Runtime],
    ['OS/Arch', Client.OsArch],
    ['Helper', `${Helper.Version} (${Helper.Path})`],
    ['Kernel', Server.KernelVersion],
  ];
  return rows.map(([name, value]) => `${`${name}:`.padEnd(14)}${value}\n`).join('');
}
