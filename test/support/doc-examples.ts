import { globSync, readFileSync } from 'node:fs';

export interface Example {
  readonly where: string;
  readonly line: string;
}

/** Lines of code in Markdown (indented by four, or between fences) that call tsman. */
function examplesOf(path: string): Example[] {
  let isFenced = false;
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line, at) => {
      if (line.startsWith('```')) isFenced = !isFenced;
      const isCode = isFenced || /^ {4}/.test(line);
      // What a program prints is no command: in a transcript commands follow a prompt.
      const isCommand = /^ {4,}(\$ )?|^(?:\S*\$ )/.test(line) && /\btsman [a-z-]/.test(line);
      // Two spaces and more set off an explanation.
      const command = line.trim().replace(/ {2,}.*$/, '');
      return isCode && isCommand ? [{ where: `${path}:${at + 1}`, line: command }] : [];
    });
}

/** The examples of README.md and docs/, but for those in pages about the inside and about messages. */
export function docExamples(): Example[] {
  return ['README.md', ...globSync('docs/*.md')]
    .filter((path) => !path.endsWith('architecture.md') && !path.endsWith('troubleshooting.md'))
    .flatMap(examplesOf);
}
