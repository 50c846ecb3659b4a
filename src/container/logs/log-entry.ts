/** One piece of output as the log kept it. */
export interface LogEntry {
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: Buffer;
  /** False for a piece of a line that was cut for its length or by a pause. */
  readonly endsLine: boolean;
  /** What `--log-opt tag`, `labels` and `env` of a json-file add. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface LogRequest {
  readonly follow: boolean;
  /** Undefined = all. */
  readonly tail: number | undefined;
  readonly since: Date | undefined;
  readonly until: Date | undefined;
}
