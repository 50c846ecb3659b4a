import { dirname } from 'node:path';
import { type Host, thisHost } from '../doctor/host.ts';
import { helperPath, sharePath } from '../helper/location.ts';
import { findDirectories } from '../rootless/directories.ts';
import type { EngineOptions } from './engine.ts';

/** This machine, as doctor looks at it. Opens and makes nothing: it must work where nothing else does. */
export function localHost(options: EngineOptions): Host {
  return thisHost({
    dataRoot: findDirectories(options).dataRoot,
    helper: helperPath(),
    share: dirname(sharePath('seccomp.json')),
  });
}
