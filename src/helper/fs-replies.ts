/** The replies to one request, in order, until it ends or fails. */
export class FsReplies<T> implements AsyncIterable<T> {
  /** The request's number in the stream. */
  readonly sequence: number;
  /** The frame that ends the replies is itself an answer, not only an end. */
  readonly answersAtEnd: boolean;
  readonly #items: T[] = [];
  readonly #onTaken: () => void;
  #wake: (() => void) | undefined;
  #onEnd: (() => void) | undefined;
  #ended = false;
  #error: Error | undefined;

  /** @param onTaken called when the consumer has taken everything that waited */
  constructor(sequence: number, answersAtEnd: boolean, onTaken: () => void) {
    this.answersAtEnd = answersAtEnd;
    this.sequence = sequence;
    this.#onTaken = onTaken;
  }

  get waiting(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }

  end(error?: Error): void {
    this.#ended = true;
    this.#error = error;
    this.#wake?.();
    this.#onEnd?.();
  }

  /** All of them at once, for an answer known to be small: much cheaper than iterating. */
  all(): Promise<readonly T[]> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        if (this.#error === undefined) resolve(this.#items);
        else reject(this.#error);
      };
      if (this.#ended) settle();
      else {
        this.#onEnd = settle;
        this.#onTaken();
      }
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const items = this.#items.splice(0);
      yield* items;
      if (this.#items.length > 0) continue;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return;
      this.#onTaken();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
