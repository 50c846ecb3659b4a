import { accessSync, constants } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { launcherPath } from '../../helper/location.ts';
import { copyImage } from '../../image/scp.ts';
import { parseScpEnd } from '../../image/scp-end.ts';
import { defineCommand } from '../command.ts';

export const imageScpCommand = defineCommand({
  paths: [['image', 'scp']],
  category: 'Images',
  summary: 'copy an image to or from another machine or user',
  usage: '[[USER@]HOST[:PORT]::]IMAGE [[USER@]HOST[:PORT]::]',
  examples: [
    ['To another machine, by ssh', 'tsman image scp debian:12 me@server::'],
    ['From there', 'tsman image scp me@server::debian:12'],
    ['To another user of this machine, by sudo', 'tsman image scp debian:12 other@localhost::'],
  ],
  options: {
    quiet: { kind: 'flag', short: 'q', help: 'do not say what was loaded here' },
  },
  arguments: [1, 2],
  completes: 'images',
  async run({ quiet }, [source = '', destination = 'localhost::'], { openEngine, stdout, env }) {
    const { username, uid } = userInfo();
    const loaded = await copyImage(
      parseScpEnd(source, username),
      parseScpEnd(destination, username),
      {
        openTarget: openEngine,
        isRoot: uid === 0,
        hasSudo: isInPath('sudo', env['PATH'] ?? ''),
        program: launcherPath(),
      },
    );
    if (!quiet) stdout.write(loaded.map((name) => `Loaded image: ${name}\n`).join(''));
    return 0;
  },
});

function isInPath(program: string, path: string): boolean {
  return path.split(':').some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      // Not there, or not for us.
      return false;
    }
  });
}
