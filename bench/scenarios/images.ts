import { join } from 'node:path';
import { DEBIAN_IMAGE, debianDirectory } from '../../test/support/debian.ts';
import { type Engine, runEngine } from '../engines.ts';
import type { Bench, Scenario } from '../scenario.ts';

const FLAT = 'localhost/flat:latest';
/** Started again it changes one file: no two commits of it are the same layer. */
const MAKE_FILES =
  'date +%N > /stamp; [ ! -e /d ] || exit 0; mkdir /d; cd /d; for i in $(seq 200); do mkdir $i; for j in $(seq 100); do echo "$i $j" > $i/$j; done; done';

/** A docker-archive with one layer, a whole Debian, called FLAT. */
const archive = ({ directory }: Bench): string => join(directory, 'flat.tar');

/** A container `files` with 20,000 new files. */
function makeFiles({ image }: Bench, engine: Engine): void {
  const words = ['run', '--name', 'files', '--network', 'none', image, 'bash', '-c'];
  runEngine(engine, ...words, MAKE_FILES);
}

function removeFiles(_: Bench, engine: Engine): void {
  runEngine(engine, 'rm', 'files');
}

/** tsman, the first engine, makes the archive; both have the image afterwards. */
async function loadFlat(bench: Bench, engine: Engine): Promise<void> {
  if (engine.name === 'podman') {
    runEngine(engine, 'load', '-q', '-i', archive(bench));
    return;
  }
  runEngine(engine, 'import', join(await debianDirectory(), 'rootfs.tar'), FLAT);
  runEngine(engine, 'save', '-q', '-o', archive(bench), FLAT);
}

/** A Debian of three layers, as a registry has them. */
let layersArchive = '';
let rootfs = '';

async function loadLayers(_: Bench, engine: Engine): Promise<void> {
  layersArchive = join(await debianDirectory(), 'debian.tar');
  runEngine(engine, 'load', '-q', '-i', layersArchive);
}

/** Nothing may be left that has the same layers as the next scenario's image. */
function removeImages(_: Bench, engine: Engine): void {
  runEngine(engine, 'rmi', '-f', '-a');
}

async function importFlat(_: Bench, engine: Engine): Promise<void> {
  rootfs = join(await debianDirectory(), 'rootfs.tar');
  runEngine(engine, 'import', '-q', rootfs, FLAT);
}

// `layers` is a store of their own: the main one has these layers, and none would be unpacked.
export const imageScenarios: readonly Scenario[] = [
  { name: 'images', args: () => ['images'], runs: 40 },
  {
    name: 'commit, 20,000 files',
    setup: makeFiles,
    args: () => ['commit', '-q', 'files', 'made'],
    prepare: () => [['start', '--attach', 'files']],
    cleanup: removeFiles,
    runs: 3,
    isLong: true,
    aim: { atMost: 0.5 },
    cpu: true,
    peak: { atMost: 0.5 },
  },
  {
    name: 'diff, 20,000 files',
    setup: makeFiles,
    args: () => ['diff', 'files'],
    cleanup: removeFiles,
    runs: 3,
    isLong: true,
  },
  {
    name: 'load (and unpack)',
    store: 'layers',
    cleanup: removeImages,
    setup: loadFlat,
    args: (bench) => ['load', '-q', '-i', archive(bench)],
    prepare: () => [['rmi', '-f', FLAT]],
    runs: 3,
    isLong: true,
    aim: { atMost: 0.625 },
    peak: { atMost: 0.5 },
    cpu: true,
  },
  {
    name: 'load gzip, three layers',
    setup: loadLayers,
    args: () => ['load', '-q', '-i', layersArchive],
    prepare: () => [['rmi', '-f', DEBIAN_IMAGE]],
    cleanup: removeImages,
    runs: 3,
    isLong: true,
    aim: { atMost: 0.625 },
    peak: { atMost: 0.5 },
    cpu: true,
    store: 'layers',
  },
  {
    name: 'import (a tar as a layer)',
    store: 'layers',
    cleanup: removeImages,
    args: () => ['import', '-q', rootfs, FLAT],
    prepare: () => [['rmi', '-f', FLAT]],
    setup: importFlat,
    runs: 3,
    isLong: true,
    cpu: true,
    peak: true,
  },
  {
    name: 'save',
    store: 'layers',
    cleanup: removeImages,
    setup: loadFlat,
    args: () => ['save', '-q', FLAT],
    runs: 3,
    isLong: true,
    cpu: true,
    peak: true,
  },
  {
    name: 'rmi',
    store: 'layers',
    cleanup: removeImages,
    setup: loadFlat,
    args: () => ['rmi', FLAT],
    prepare: (bench) => [['load', '-q', '-i', archive(bench)]],
    runs: 3,
    isLong: true,
    cpu: true,
    peak: true,
  },
];
