import { TsmanError } from '../base/error.ts';
import type { FsAgent } from '../helper/fs-agent.ts';
import type { FsAttributes, FsNodeType } from '../helper/fs-protocol.ts';
import { cleanArchivePath, quoteBytes } from '../oci/byte-path.ts';
import { TarReader } from '../oci/tar.ts';
import type { TarHandler, TarReadEntry } from '../oci/tar-entry.ts';

export interface UnpackOptions {
  /** The directory below the agent's to unpack into; latin1 text, one character for each byte. */
  readonly at: string;
  /** Every file's owner, instead of what the archive says. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** What the archive's paths become; undefined leaves an entry out. */
  readonly rename?: (path: string) => string | undefined;
  /** Called with each path before it is made; may throw. */
  readonly check?: (path: string, isDirectory: boolean) => void;
}

const NODE_TYPES: Readonly<Record<string, FsNodeType>> = { 3: 'character', 4: 'block', 6: 'fifo' };

/** Turns any tar archive into files below a directory. Unlike a layer's, its names are only names. */
export class TreeUnpacker implements TarHandler {
  readonly #agent: FsAgent;
  readonly #options: UnpackOptions;
  readonly #reader: TarReader;
  #isFile = false;

  constructor(agent: FsAgent, options: UnpackOptions) {
    this.#agent = agent;
    this.#options = options;
    this.#reader = new TarReader(this);
  }

  write(chunk: Buffer): void {
    this.#reader.write(chunk);
  }

  end(): void {
    this.#reader.end();
  }

  entry(entry: TarReadEntry): void {
    this.#isFile = false;
    if (entry.name.includes('\0') || entry.linkName.includes('\0'))
      throw new TsmanError(`path ${quoteBytes(entry.name)} in tar archive holds a NUL byte`);
    const path = this.#placeOf(entry.name);
    if (path !== undefined) this.#make(path, entry);
  }

  data(offset: number, chunk: Buffer): void {
    if (this.#isFile) this.#agent.data(offset, chunk);
  }

  #placeOf(name: string): string | undefined {
    const clean = cleanArchivePath(name);
    const { rename, at } = this.#options;
    const path = rename === undefined ? clean : rename(clean);
    if (path === undefined) return undefined;
    return at === '' || path === '' ? at + path : `${at}/${path}`;
  }

  #make(path: string, entry: TarReadEntry): void {
    this.#options.check?.(path, entry.typeFlag === '5');
    const target = Buffer.from(path, 'latin1');
    const attributes = this.#attributes(entry);
    const link = Buffer.from(entry.linkName, 'latin1');
    if (entry.typeFlag === '5') this.#agent.mkdir(target, attributes);
    else if (entry.typeFlag === '0') {
      this.#isFile = true;
      this.#agent.file(target, attributes, entry.sizeBytes);
    } else if (entry.typeFlag === '1') {
      const first = this.#placeOf(entry.linkName);
      if (first !== undefined) this.#agent.hardLink(target, Buffer.from(first, 'latin1'));
    } else if (entry.typeFlag === '2') this.#agent.symlink(target, link, attributes);
    else this.#node(target, entry, attributes);
  }

  #node(path: Buffer, entry: TarReadEntry, attributes: FsAttributes): void {
    const type = NODE_TYPES[entry.typeFlag];
    if (type === undefined)
      throw new TsmanError(
        `${quoteBytes(entry.name)} in tar archive has unknown type ${quoteBytes(entry.typeFlag)}`,
      );
    const device = { major: entry.deviceMajor, minor: entry.deviceMinor };
    this.#agent.node(path, type, device, attributes);
  }

  #attributes(entry: TarReadEntry): FsAttributes {
    const { uid, gid, mode, mtime, xattrs } = entry;
    return { owner: this.#options.owner ?? { uid, gid }, mode, mtime, xattrs };
  }
}
