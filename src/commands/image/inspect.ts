import { inspectImage } from '../../image/inspect.ts';
import { printFailure } from '../../output/failure.ts';
import { renderTemplate } from '../../output/template.ts';
import { requireImage } from '../../storage/image-lookup.ts';
import { defineCommand } from '../command.ts';

export const imageInspectCommand = defineCommand({
  paths: [['image', 'inspect']],
  category: 'Images',
  summary: 'show all that is known of images, as JSON',
  usage: 'IMAGE...',
  examples: [
    ['Everything', 'tsman image inspect debian:12'],
    ['What it runs', "tsman image inspect --format '{{.Config.Cmd}}' debian:12"],
  ],
  options: {
    format: { kind: 'text', short: 'f', value: 'FORMAT', help: 'json or a Go template' },
  },
  arguments: [1, Number.POSITIVE_INFINITY],
  completes: 'images',
  run({ format }, names, { openEngine, stdout, stderr }) {
    const engine = openEngine();
    const found: object[] = [];
    let exitCode = 0;
    for (const name of names) {
      try {
        found.push(inspectImage(engine, requireImage(engine.storage, name)));
      } catch (error) {
        exitCode = printFailure(error, stderr);
      }
    }
    const isTemplate = format !== undefined && format !== 'json';
    if (isTemplate)
      stdout.write(found.map((image) => `${renderTemplate(format, image)}\n`).join(''));
    else stdout.write(`${JSON.stringify(found, undefined, 4)}\n`);
    return exitCode;
  },
});
