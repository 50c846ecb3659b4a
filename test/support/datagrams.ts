import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from './until.ts';

/** What systemd does: a datagram socket (Node has none), whose messages are printed with "|" between their lines. */
const LISTENER = `
use Socket; $| = 1;
socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un($ARGV[0])) or die "$!";
print "listening\\n";
while (defined recv(S, $_, 65536, 0)) { tr/\\n/|/; print "$_\\n" }
`;

/** Listens for datagrams on a Unix socket until disposed of. */
export class DatagramListener {
  readonly socket: string;
  readonly #process: ChildProcess;
  #said = '';

  private constructor(socket: string) {
    this.socket = socket;
    this.#process = spawn('perl', ['-e', LISTENER, socket], { stdio: ['ignore', 'pipe', 2] });
    this.#process.stdout?.on('data', (chunk) => {
      this.#said += String(chunk);
    });
  }

  static async open(socket: string): Promise<DatagramListener> {
    const listener = new DatagramListener(socket);
    await listener.hear(/listening/);
    return listener;
  }

  /** Everything so far, once `pattern` is in it. */
  async hear(pattern: RegExp): Promise<string> {
    await until(`${pattern} was heard`, () => pattern.test(this.#said));
    return this.#said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await once(this.#process, 'exit');
  }
}
