import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConfSearch, findConfFiles } from '../../src/config/conf-files.ts';
import { loadContainersConf } from '../../src/config/containers-conf.ts';
import { loadStorageConf } from '../../src/config/storage-conf.ts';

const test = suite('containers.conf and storage.conf');

/** Calls `body` with a machine that has these files; `~/` is the user's configuration. */
async function withFiles(
  files: Readonly<Record<string, string>>,
  body: (search: ConfSearch, root: string) => Promise<void> | void,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const root = mkdtempSync('/var/tmp/t');
  try {
    for (const [path, text] of Object.entries(files)) {
      const file = join(root, path.replace(/^~/, 'home/.config/containers'));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const at = (path: string): string => join(root, path);
    const home = { HOME: at('home') };
    const resolved = Object.entries(env).map(([key, value]) => [key, at(value ?? '')]);
    await body({ env: { ...home, ...Object.fromEntries(resolved) }, uid: 1000, root }, root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const umask = (value: string): string => `[containers]\numask = "${value}"\n`;

test('the main file is the first of the user, /etc and /usr/share', () =>
  withFiles(
    {
      '~/containers.conf': umask('1'),
      'etc/containers/containers.conf': umask('2'),
      'usr/share/containers/containers.conf': umask('3'),
    },
    async (search, root) => {
      const { files, values } = await loadContainersConf(search);

      assert.equal(files, [`${root}/home/.config/containers/containers.conf`]);
      assert.is(values.get('containers.umask'), '1');
    },
  ));

test("drop-ins are sorted by name, and a later directory's replaces one of the same name", () =>
  withFiles(
    {
      'usr/share/containers/containers.conf.d/50-a.conf': umask('1'),
      'etc/containers/containers.conf.d/50-a.conf': umask('2'),
      'etc/containers/containers.rootless.conf.d/1000/60-b.conf': umask('3'),
      'etc/containers/containers.rootful.conf.d/99-c.conf': umask('4'),
      '~/containers.conf.d/10-d.conf': umask('5'),
    },
    async (search, root) => {
      const { files, values } = await loadContainersConf(search);

      assert.equal(
        files.map((path) => path.slice(root.length)),
        [
          '/home/.config/containers/containers.conf.d/10-d.conf',
          '/etc/containers/containers.conf.d/50-a.conf',
          '/etc/containers/containers.rootless.conf.d/1000/60-b.conf',
        ],
      );
      assert.is(values.get('containers.umask'), '3');
    },
  ));

test('CONTAINERS_CONF stands for all of them, modules and the override come on top', () =>
  withFiles(
    {
      '~/containers.conf': umask('1'),
      'mine.conf': '[containers]\numask = "2"\ntz = "UTC"\n',
      '~/containers.conf.modules/m.conf': umask('3'),
      'over.conf': '[engine]\ndetach_keys = ""\n',
    },
    async (search) => {
      const { values, files } = await loadContainersConf({ ...search, modules: ['m.conf'] });

      assert.is(files.length, 3);
      assert.equal(
        [...values],
        [
          ['containers.umask', '3'],
          ['containers.tz', 'UTC'],
          ['engine.detach_keys', ''],
        ],
      );
    },
    { CONTAINERS_CONF: 'mine.conf', CONTAINERS_CONF_OVERRIDE: 'over.conf' },
  ));

test('lists are replaced, or added to with {append=true}', () =>
  withFiles(
    {
      'etc/containers/containers.conf': '[containers]\nenv = ["A=1"]\nvolumes = ["/a:/a"]\n',
      '~/containers.conf.d/x.conf':
        '[containers]\nenv = ["B=2", {append=true}]\nvolumes = ["/b:/b"]\n',
    },
    async (search) => {
      const { values } = await loadContainersConf(search);

      assert.equal(values.get('containers.env'), ['A=1', 'B=2']);
      assert.equal(values.get('containers.volumes'), ['/b:/b']);
    },
  ));

test('a file of comments and headers counts as none', () =>
  withFiles({ 'etc/containers/containers.conf': '# a\n\n[engine]\n  #x = 1\n' }, (search) => {
    assert.equal(findConfFiles('containers', search), []);
  }));

test('unknown keys are counted, known ones that do not apply have a reason, wrong types are errors', () =>
  withFiles(
    { '~/containers.conf': '[engine]\nruntime = "crun"\nnonsense = 1\n' },
    async (search) => {
      const { unknown, ignored } = await loadContainersConf(search);

      assert.equal(unknown, ['engine.nonsense']);
      assert.is(ignored[0]?.key, 'engine.runtime');
      await withFiles({ '~/containers.conf': '[containers]\nenv = "A=1"\n' }, async (wrong) => {
        const failure = await loadContainersConf(wrong).then(
          () => undefined,
          (error: Error) => error,
        );
        assert.match(failure?.message ?? '', /containers\.conf/);
        assert.match(String(failure?.cause), /containers\.env is not a list of strings/);
      });
    },
  ));

test("of storage.conf a user's graphroot counts, the system's only for root", () =>
  withFiles(
    {
      'etc/containers/storage.conf':
        '[storage]\ndriver = "overlay"\ngraphroot = "/srv/c"\nrootless_storage_path = "/srv/$UID/x"\n',
    },
    async (search) => {
      const conf = await loadStorageConf(search);
      assert.is(conf.dataRoot, '/srv/1000/x/tsman');
      assert.is(conf.driver, 'overlay');
      assert.is((await loadStorageConf({ ...search, uid: 0 })).dataRoot, '/srv/c/tsman');
      await withFiles(
        { '~/storage.conf': '[storage]\ngraphroot = "$HOME/g"\n' },
        async (own, root) => {
          assert.is((await loadStorageConf(own)).dataRoot, `${root}/home/g/tsman`);
        },
      );
    },
  ));

test("Podman's own default places are no choice", () =>
  withFiles(
    { 'etc/containers/storage.conf': '[storage]\ngraphroot = "/var/lib/containers/storage"\n' },
    async (search) => {
      assert.is((await loadStorageConf({ ...search, uid: 0 })).dataRoot, undefined);
    },
  ));

test.run();
