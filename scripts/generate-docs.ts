import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { generateDocs } from './docs-from-commands/generate.ts';

const docs = await generateDocs();
for (const stale of globSync('{man/*.[15],completions/tsman.*}')) {
  if (!docs.has(stale)) rmSync(stale);
}
for (const [path, text] of docs) {
  mkdirSync(dirname(path), { recursive: true });
  if (!globSync(path).includes(path) || readFileSync(path, 'utf8') !== text) {
    writeFileSync(path, text);
    console.log(`wrote ${path}`);
  }
}
