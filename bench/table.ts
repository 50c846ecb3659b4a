import type { Aim } from './scenario.ts';

export interface Row {
  readonly name: string;
  readonly medians: readonly [tsman: number, podman: number];
  readonly unit: string;
  readonly aim: Aim | undefined;
}

const NAME_WIDTH = 34;

/** @returns the middle one of the numbers */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
}

export function formatRow({ name, medians: [tsman, podman], unit, aim }: Row): string {
  const figure = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`;
  const ratio = tsman / podman;
  const cells = [
    name.padEnd(NAME_WIDTH),
    figure(tsman).padStart(11),
    figure(podman).padStart(11),
    ratio.toFixed(2).padStart(6),
    verdict(aim, tsman, ratio, unit).padEnd(18),
  ];
  return `| ${cells.join(' | ')} |`;
}

function verdict(aim: Aim | undefined, own: number, ratio: number, unit: string): string {
  if (aim === undefined) return '';
  const say = (text: string, isMet: boolean): string => `${text}, ${isMet ? 'met' : 'MISSED'}`;
  if ('atMost' in aim) return say(`<= ${aim.atMost}`, ratio <= aim.atMost);
  if ('atLeast' in aim) return say(`>= ${aim.atLeast}`, ratio >= aim.atLeast);
  return say(`<= ${aim.own} ${unit}`, own <= aim.own);
}

/** A Markdown table. */
export function formatTable(rows: readonly Row[]): string {
  const heading = ['median of'.padEnd(NAME_WIDTH), '      tsman', '     podman', ' ratio'];
  return [
    `| ${heading.join(' | ')} | ${'aim'.padEnd(18)} |`,
    `| ${'-'.repeat(NAME_WIDTH)} | ----------: | ----------: | -----: | ${'-'.repeat(18)} |`,
    ...rows.map(formatRow),
  ].join('\n');
}
