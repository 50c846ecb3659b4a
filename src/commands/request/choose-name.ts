import type { ChooseName } from '../../config/short-names.ts';
import { formatReference, withDefaultTag } from '../../oci/reference.ts';
import type { CommandContext } from '../command.ts';
import { ask, canAsk } from '../prompt.ts';

/** Asks which image a short name means; undefined where there is no terminal to ask on. */
export function nameChooser({
  stdin,
  stderr,
}: Pick<CommandContext, 'stdin' | 'stderr'>): ChooseName | undefined {
  if (!stderr.isTTY || !canAsk(stdin)) return undefined;
  return async (typed, candidates) => {
    const names = candidates.map((each) => formatReference(withDefaultTag(each)));
    const lines = names.map((name, i) => `  ${i + 1}  ${name}\n`);
    stderr.write(`Which image is ${typed}? The answer is remembered.\n${lines.join('')}`);
    for (;;) {
      const answer = (await ask(stdin, stderr, `Number [1-${names.length}]: `)).trim();
      const chosen = candidates[Number(answer) - 1];
      if (chosen !== undefined) return chosen;
      stderr.write(`${JSON.stringify(answer)} is none of them.\n`);
    }
  };
}
