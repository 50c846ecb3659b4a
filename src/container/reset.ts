import * as fs from 'node:fs';
import { sleep } from '../base/sleep.ts';
import type { Directories } from '../rootless/directories.ts';
import type { EngineUserns } from '../rootless/id-map.ts';
import { openFsAgent } from '../rootless/rootfs-agent.ts';
import { readState } from './state.ts';
import { killContainer } from './stop.ts';

const END_TIMEOUT_MS = 10_000;

/**
 * Ends all containers and removes everything: both roots are empty afterwards. Reads no records, so
 * that it works on a damaged store and on one of another version.
 */
export async function resetStore(target: {
  readonly directories: Directories;
  readonly userns: EngineUserns;
}): Promise<void> {
  const { directories } = target;
  await endContainers(directories);
  const agent = openFsAgent(target, directories.dataRoot);
  try {
    // First what names the rest: a reset that is killed leaves nothing that looks whole.
    const names = fs.readdirSync(directories.dataRoot);
    const order = [...names.filter((name) => name.startsWith('db.sqlite')), ...names];
    for (const name of order) agent.remove(name);
    await agent.sync();
  } finally {
    await agent.close();
  }
  for (const name of fs.readdirSync(directories.runRoot))
    fs.rmSync(`${directories.runRoot}/${name}`, { recursive: true, force: true });
}

async function endContainers(directories: Directories): Promise<void> {
  const parent = `${directories.runRoot}/containers`;
  const ids = fs.existsSync(parent) ? fs.readdirSync(parent) : [];
  const running = (): string[] =>
    ids.filter((id) => ['running', 'paused'].includes(readState(directories, id).status));
  for (const id of running()) killContainer(readState(directories, id), 9);
  for (let waited = 0; running().length > 0 && waited < END_TIMEOUT_MS; waited += 50)
    await sleep(50);
}
