import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requires } from '../support/requires.ts';
import { withScratch } from '../support/scratch.ts';
import { tsmanPath } from '../support/tsman.ts';

const test = suite('tsman info and version');

test('have the fields of Podman and of Docker', () =>
  withScratch(async (tsman, { root }) => {
    const fields = '{{.Store.GraphRoot}} {{.DockerRootDir}} {{.Host.OS}} {{.host.os}} {{.OSType}}';
    const { stdout, stderr } = await tsman('info', '--format', fields);

    assert.is(stdout, `${root} ${root} linux linux linux\n`, stderr);
    const { stdout: version } = await tsman('version', '--format', '{{.Server.Version}}');
    assert.is((await tsman('info', '-f', '{{.ServerVersion}}')).stdout, version);
    const { stdout: facts } = await tsman(
      ...['info', '--format', '{{.Host.CgroupManager}} {{.LoggingDriver}} {{.Host.LogDriver}}'],
    );
    assert.is(facts, 'cgroupfs k8s-file k8s-file\n');
    assert.match((await tsman('version')).stdout, /^Kernel: +\d+\.\d+/m);
  }));

test('and events and df, Docker names too; a wrong template is told before anything is waited for', () =>
  withScratch(async (tsman) => {
    await tsman('run', '--name', 'a', '--network', 'none', 'hello');
    const died = ['events', '--stream=false', '--filter', 'event=die'];
    const names = '{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}} {{.Scope}} {{.From}}';
    const { stdout } = await tsman(...died, '--format', names);
    assert.is(stdout, 'a 0 local localhost/hello:latest\n');
    const usage = await tsman('system', 'df', '--format', '{{.Type}}={{.TotalCount}}');
    assert.match(usage.stdout, /^Containers=1$/m);
    for (const words of [['events'], ['search', 'x'], ['search', '--list-tags', 'x']]) {
      const wrong = await tsman(...words, '--format', '{{.Nope}}');
      assert.is(wrong.exitCode, 125);
      assert.match(wrong.stderr, /^Error: --format: column 3: no field \.Nope/);
    }
  }));

test('a home that is no absolute path puts nothing into the current directory', () =>
  withScratch(async (_tsman, { directory }) => {
    for (const HOME of ['', 'relative']) {
      const env = {
        HOME,
        XDG_DATA_HOME: undefined,
        TSMAN_ROOT: undefined,
        TSMAN_RUNROOT: directory,
      };
      const options = {
        env: { ...process.env, ...env },
        cwd: directory,
        encoding: 'utf8' as const,
      };
      const { stdout, stderr } = spawnSync(
        tsmanPath(),
        ['info', '-f', '{{.Store.GraphRoot}}'],
        options,
      );
      // What lies there is the user's: a store that this tsman refuses is named as well.
      assert.ok((stdout + stderr).includes(`${ownHome()}/.local/share/tsman`), stdout + stderr);
    }
    assert.equal(readdirSync(directory).includes('relative'), false);
  }));

function ownHome(): string {
  const uid = String(process.getuid?.());
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n');
  return entries.map((line) => line.split(':')).find((fields) => fields[2] === uid)?.[5] ?? '';
}

requires(
  test,
  'user',
  'subids',
)("the environment's USER does not say whose subordinate ids are used", () =>
  withScratch(async (tsman) => {
    const map = ['info', '-f', '{{json .Host.IDMappings.UIDMap}}'];
    const usual = await tsman(...map);
    assert.match(usual.stdout, /"size":1\},\{"container_id":1,/);
    for (const USER of ['root', 'nobody', undefined]) {
      const env = { USER, LOGNAME: USER };
      assert.is((await tsman.with({ env })(...map)).stdout, usual.stdout);
    }
  }),
);

test('a full disk behind standard output is one line', () => {
  for (const words of [['ps', '--help'], ['version'], ['completion', 'bash']]) {
    const command = [...words.map((word) => `'${word}'`)].join(' ');
    const script = `'${tsmanPath()}' ${command} >/dev/full`;
    const { status, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
    assert.is(status, 125);
    assert.match(stderr, /^Error: write to standard output: ENOSPC.*\n$/);
  }
});

test('say which configuration files were read', () =>
  withScratch(async (tsman, scratch) => {
    const file = join(scratch.directory, 'c.conf');
    writeFileSync(file, '[containers]\ntz = "UTC"\n');
    const configured = tsman.with({ env: { CONTAINERS_CONF: file } });

    const { stdout } = await configured('info', '--format', '{{json .ConfigFiles}}');

    assert.is(JSON.parse(stdout)[0], file);
  }));

test.run();
