import { UsageError } from '../base/error.ts';
import { nodeOs } from '../base/late-modules.ts';

/** Parses `TERM`, `SIGTERM`, `15`, `RTMIN+3`. @throws UsageError */
export function parseSignal(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number >= 1 && number <= 64) return number;
  }
  const realTime = /^(RTMIN|RTMAX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime !== null) return realTimeSignal(realTime, text);
  const number = (nodeOs().constants.signals as Readonly<Record<string, number>>)[`SIG${name}`];
  if (number === undefined) throw unknownSignal(text);
  return number;
}

/** 34 and 64 as glibc counts them; the kernel's 32 and 33 belong to its threads. */
function realTimeSignal(match: RegExpExecArray, text: string): number {
  const base = match[1] === 'RTMIN' ? 34 : 64;
  const number = base + (match[2] === '-' ? -1 : 1) * Number(match[3] ?? 0);
  if (number < 34 || number > 64) throw unknownSignal(text);
  return number;
}

function unknownSignal(text: string): UsageError {
  return new UsageError(`unknown signal ${JSON.stringify(text)}`, {
    hint: 'names are those of signal(7), e.g. TERM, SIGHUP, RTMIN+3, or a number from 1 to 64',
  });
}
