/** One entry, whatever dialect it was written in. Names are bytes, one character for each (latin1). */
export interface TarReadEntry {
  readonly name: string;
  readonly linkName: string;
  /** `0` file, `1` hard link, `2` symbolic link, `3` `4` devices, `5` directory, `6` fifo, or unknown. */
  readonly typeFlag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the file, holes included. */
  readonly sizeBytes: number;
  readonly mtime: { readonly seconds: number; readonly nanoseconds: number };
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: readonly { readonly name: Buffer; readonly value: Buffer }[];
}

export interface TarHandler {
  entry(entry: TarReadEntry): void;
  /** Content of the last entry; holes are passed over. The chunk is a view into what was written. */
  data(offset: number, chunk: Buffer): void;
}
