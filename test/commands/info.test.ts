import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withScratch } from '../support/scratch.ts';

const test = suite('tsman info and version');

test('have the fields of Podman and of Docker', () =>
  withScratch(async (tsman, { root }) => {
    const fields = '{{.Store.GraphRoot}} {{.DockerRootDir}} {{.Host.OS}} {{.host.os}} {{.OSType}}';
    const { stdout, stderr } = await tsman('info', '--format', fields);

    assert.is(stdout, `${root} ${root} linux linux linux\n`, stderr);
    const { stdout: version } = await tsman('version', '--format', '{{.Server.Version}}');
    assert.is((await tsman('info', '-f', '{{.ServerVersion}}')).stdout, version);
    assert.match((await tsman('version')).stdout, /^Kernel: +\d+\.\d+/m);
  }));

test('say which configuration files were read', () =>
  withScratch(async (tsman, scratch) => {
    const file = join(scratch.directory, 'c.conf');
    writeFileSync(file, '[containers]\ntz = "UTC"\n');
    const configured = tsman.with({ env: { CONTAINERS_CONF: file } });

    const { stdout } = await configured('info', '--format', '{{json .ConfigFiles}}');

    assert.is(JSON.parse(stdout)[0], file);
  }));

test.run();
