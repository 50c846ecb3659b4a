import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProbe, PROBE_IMAGE } from '../support/probe.ts';
import { withScratch } from '../support/scratch.ts';

const test = suite('tsman ps --format json');

test("has Podman's shape", () =>
  withScratch(async (tsman) => {
    await loadProbe(tsman);
    const made = ['--network=none', '--label=a=b', PROBE_IMAGE, 'probe', 'exit', '3'];
    const first = await tsman('create', '--name', 'one', ...made);
    await tsman('run', '--name', 'two', ...made);

    const { stdout } = await tsman('ps', '-a', '--sort', 'names', '--format', 'json');
    const [one, two] = JSON.parse(stdout);
    assert.equal([one.Id, one.Names, one.State], [first.stdout.trim(), ['one'], 'created']);
    assert.equal([one.Command.slice(-2), one.Labels.a], [['exit', '3'], 'b']);
    assert.equal([one.StartedAt, one.Size, one.Exited], [-62135596800, null, false]);
    assert.equal([two.ExitCode, two.Exited, two.State], [3, true, 'exited']);
    assert.ok(Math.abs(two.ExitedAt - Date.now() / 1000) < 60);
    const sized = JSON.parse((await tsman('ps', '-as', '--format', 'json')).stdout);
    assert.ok(sized[0].Size.rootFsSize > 0);
  }));

test.run();
