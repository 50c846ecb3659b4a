import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { withScreen } from '../support/screen.ts';
import { makeContent, serve } from '../support/scripted-image.ts';
import { withScripted } from '../support/session.ts';

const test = suite('tsman pull on a terminal');
const real = requires(test, 'userns', 'tmux');

real('shows a bar, ends at once with ctrl-C, and goes on where it was', () =>
  withScratch(async (tsman, scratch) => {
    const content = await makeContent(scratch.makeDirectory('content'));
    const ranges: (string | undefined)[] = [];
    await withScripted(
      serve(content, ranges, () => undefined),
      async ({ address }) => {
        await withScreen(scratch, { columns: 72 }, async (screen) => {
          await screen.type(`clear; $T pull ${address}/x; echo code=$?`);
          await screen.until(/^[0-9a-f]{12} {2}\[=+ +\] {2}2 MB \/ 3 MB {2}\S+ \S+B\/s$/m);
          screen.press('C-c');
          // A shell gives the rest of the line up with it.
          await screen.type('echo code=$?');
          await screen.until(/^(> )?code=130$/m);
          await screen.type(`clear; $T pull ${address}/x; echo code=$?`);
          await screen.until(/^[0-9a-f]{12} {2}done {2}3 MB$/m);
          await screen.until(/^code=0$/m);
          assert.equal(ranges, [undefined, 'bytes=2000000-']);
          await screen.type(
            `clear; $T pull --progress plain ${address}/x; $T pull -q ${address}/x`,
          );
          await screen.until(/already exists \(3 MB\)\n[0-9a-f]{64}\n[0-9a-f]{64}\n/);
        });
        await tsman('rmi', '--all', '--force');
      },
    );
  }),
);

real('fits into a narrow terminal', () =>
  withScratch(async (_, scratch) => {
    const content = await makeContent(scratch.makeDirectory('content'));
    await withScripted(
      serve(content, [], () => undefined),
      async ({ address }) => {
        await withScreen(scratch, { columns: 34, rows: 8 }, async (screen) => {
          await screen.type(`clear; $T pull ${address}/x; echo code=$?`);
          await screen.until(/^[0-9a-f]{12} {2}2 MB \/ 3 MB$/m);
          screen.press('C-c');
          // A shell gives the rest of the line up with it.
          await screen.type('echo code=$?');
          await screen.until(/^(> )?code=130$/m);
        });
      },
    );
  }),
);

test.run();
