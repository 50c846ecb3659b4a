// run: root
import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FsAgent } from '../../src/helper/fs-agent.ts';
import type { FsEntry } from '../../src/helper/fs-protocol.ts';
import type { EngineUserns } from '../../src/rootless/id-map.ts';
import { openFsAgent } from '../../src/rootless/rootfs-agent.ts';
import type { LayerTarget } from '../../src/storage/layers.ts';
import { withLayerTarget } from '../support/layer-fixtures.ts';

const test = suite('the rootfs agent');

/** An agent on an empty directory of its own. */
async function withAgent(
  body: (agent: FsAgent, pinned: string, target: LayerTarget) => Promise<void>,
  userns?: (target: LayerTarget) => EngineUserns,
): Promise<void> {
  await withLayerTarget(async (target) => {
    const { directories } = target.storage;
    const pinned = join(directories.dataRoot, 'pinned');
    fs.mkdirSync(pinned);
    const agent = openFsAgent({ userns: userns?.(target) ?? target.userns, directories }, pinned);
    try {
      await body(agent, pinned, target);
    } finally {
      await agent.close();
    }
  });
}

async function list(agent: FsAgent, path = ''): Promise<Map<string, FsEntry>> {
  const entries = new Map<string, FsEntry>();
  for await (const entry of agent.walk(path)) entries.set(entry.path.toString(), entry);
  return entries;
}

async function failure(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no failure',
    (error: Error) => error.message,
  );
}

test('makes, lists and reads files', () =>
  withAgent(async (agent) => {
    const mtime = { seconds: -2, nanoseconds: 5 };
    agent.mkdir('a/b', { mode: 0o2750, mtime });
    agent.file('a/b/file', { mode: 0o600, mtime }, 10);
    agent.data(4, Buffer.from('data'));
    agent.symlink('a/link', '../../..', {});
    await agent.sync();
    const entries = await list(agent);
    assert.equal([...entries.keys()], ['', 'a', 'a/b', 'a/b/file', 'a/link']);
    assert.equal(entries.get('a/b')?.mtime, mtime);
    assert.is(entries.get('a/b')?.mode, 0o042750);
    assert.is(entries.get('a/b/file')?.sizeBytes, 10);
    assert.is(`${entries.get('a/link')?.linkTarget}`, '../../..');
    const content = Buffer.alloc(10);
    for await (const part of agent.readFile('a/b/file')) part.bytes.copy(content, part.offset);
    assert.is(`${content}`, '\0\0\0\0data\0\0');
  }));

test('answers walks, reads and usage in the order they were asked', () =>
  withAgent(async (agent) => {
    agent.file('f', {}, 5);
    agent.data(0, Buffer.from('hello'));
    agent.hardLink('g', 'f');
    const [entries, usage, missing] = await Promise.all([
      list(agent),
      agent.usage(''),
      failure(list(agent, 'none')),
    ]);
    assert.is(entries.get('f')?.linkCount, 2);
    assert.is(usage.inodes, 2, 'the directory, and one file with two names');
    assert.match(missing, /^walk none: .*\(ENOENT\)$/);
    await agent.sync();
  }));

test('moves much content both ways', () =>
  withAgent(async (agent) => {
    const chunk = Buffer.alloc(3 << 20, 'x');
    agent.file('big', {}, 20 * chunk.length);
    for (let i = 0; i < 20; i++) {
      agent.data(i * chunk.length, chunk);
      await agent.drain();
    }
    let sizeBytes = 0;
    for await (const { bytes } of agent.readFile('big')) sizeBytes += bytes.length;
    assert.is(sizeBytes, 20 * chunk.length);
  }));

test('reports the first failure with step, subject and reason, and does nothing more', () =>
  withAgent(async (agent, pinned) => {
    agent.file('file', {}, 0);
    agent.mkdir('file/below', {});
    agent.file('after', {}, 0);
    assert.match(await failure(agent.sync()), /^open the directory of file\/below: .*\(ENOTDIR\)$/);
    assert.throws(() => agent.remove('file'), /ENOTDIR/);
    assert.equal(fs.readdirSync(pinned), ['file']);
  }));

test('refuses .. and content beyond the declared size', async () => {
  await withAgent(async (agent) => {
    agent.mkdir('a/../../b', {});
    assert.match(await failure(agent.sync()), /\(EINVAL\)$/);
  });
  await withAgent(async (agent) => {
    agent.file('f', {}, 1);
    agent.data(1, Buffer.from('x'));
    assert.match(await failure(agent.sync()), /^protocol data: /);
  });
});

test('replaces a file by a directory and a directory by a file', () =>
  withAgent(async (agent) => {
    agent.file('d', {}, 0);
    agent.mkdir('d', {});
    agent.file('d/kept', {}, 0);
    agent.mkdir('d', { mode: 0o700 });
    agent.mkdir('f/gone/deep', {});
    agent.file('f', {}, 0);
    agent.hardLink('f', 'f');
    await agent.sync();
    assert.equal([...(await list(agent)).keys()], ['', 'd', 'd/kept', 'f']);
  }));

test('forgets cached directories when one is renamed, removed or replaced', () =>
  withAgent(async (agent, pinned) => {
    agent.file('a/b/1', {}, 0);
    agent.rename('a', 'c');
    agent.file('a/b/2', {}, 0);
    agent.remove('c');
    agent.file('c/b/3', {}, 0);
    agent.symlink('a/b', '/c/b', {});
    agent.file('a/b/4', {}, 0);
    await agent.sync();
    assert.equal(fs.readdirSync(join(pinned, 'a')), ['b']);
    assert.equal(fs.readdirSync(join(pinned, 'c/b')).sort(), ['3', '4']);
  }));

test('removes and lists trees deeper than any path', () =>
  withAgent(async (agent, pinned) => {
    agent.file(`${'d/'.repeat(3000)}f`, {}, 0);
    await agent.sync();
    assert.is((await list(agent)).size, 3002);
    assert.is((await agent.usage('')).inodes, 3002);
    agent.remove('d');
    agent.remove('was never there');
    await agent.sync();
    assert.equal(fs.readdirSync(pinned), []);
  }));

test('stays inside while somebody swaps directories for links', () =>
  withAgent(async (agent, pinned, target) => {
    const outside = join(target.storage.directories.dataRoot, 'outside');
    fs.mkdirSync(outside);
    fs.symlinkSync(outside, join(pinned, 'absolute'));
    fs.symlinkSync('../outside', join(pinned, 'relative'));
    agent.mkdir(outside.slice(1), {});
    agent.mkdir('outside', {});
    agent.file('absolute/one', {}, 0);
    agent.file('relative/two', {}, 0);
    agent.remove('absolute');
    await agent.sync();
    assert.equal(fs.readdirSync(outside), []);
    assert.ok(fs.existsSync(join(pinned, 'outside/two')));
  }));

test('squashes owners when there is only one id, and counts them', () =>
  withAgent(
    async (agent) => {
      agent.file('f', { owner: { uid: 33, gid: 44 }, mode: 0o4755 }, 0);
      agent.node('null', 'character', { major: 1, minor: 3 }, {});
      const { ownersSquashed, devicesSkipped } = await agent.sync();
      if (process.geteuid?.() === 0) return; // root has every id
      assert.equal([ownersSquashed, devicesSkipped], [1, 1]);
      const entry = (await list(agent)).get('f');
      assert.equal([entry?.uid, entry?.gid, entry?.mode], [0, 0, 0o104755]);
    },
    ({ userns }) => {
      const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
      if (userns.kind === 'none') return userns;
      const only = (hostID: number) => [{ containerID: 0, hostID, size: 1 }];
      return { kind: 'single', uidMappings: only(uid), gidMappings: only(gid) };
    },
  ));

test('says so when the directory is not there', () =>
  withLayerTarget(async ({ userns, storage: { directories } }) => {
    const agent = openFsAgent({ userns, directories }, join(directories.dataRoot, 'none'));
    assert.match(await failure(agent.sync()), /^pin .*\/none: .*\(ENOENT\)$/);
    await agent.close();
  }));

test('ends when it is closed in the middle of a file', () =>
  withAgent(async (agent, pinned) => {
    agent.file('f', {}, 1 << 20);
    agent.data(0, Buffer.from('x'));
    await agent.close({ kill: true });
    assert.match(await failure(agent.drain()), /the rootfs agent ended/);
    assert.ok(fs.readdirSync(pinned).length <= 1);
  }));

test.run();
