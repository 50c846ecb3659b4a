import { fetchRemoteManifest } from '../../image/list-members.ts';
import { listName } from '../../image/manifest-list.ts';
import { findManifestList } from '../../storage/manifest-lists.ts';
import { defineCommand } from '../command.ts';
import { printFormatted } from '../formatted.ts';
import { REGISTRY_OPTIONS, registryAccess } from '../options/registry-options.ts';

export const manifestInspectCommand = defineCommand({
  paths: [['manifest', 'inspect']],
  category: 'Images',
  summary: 'show a list of this store, or a manifest or list of a registry',
  usage: 'LIST|IMAGE',
  examples: [
    ['One of yours', 'tsman manifest inspect web'],
    [
      'The platforms',
      "tsman manifest inspect --format '{{range .manifests}}{{.platform.architecture}} {{end}}' web",
    ],
    ['What a registry has', 'tsman manifest inspect docker.io/library/debian:12'],
  ],
  options: {
    ...REGISTRY_OPTIONS,
    format: { kind: 'text', short: 'f', value: 'FORMAT', help: 'json or a Go template' },
    verbose: { kind: 'flag', short: 'v', help: 'ignored', hidden: true },
  },
  arguments: [1, 1],
  completes: 'images',
  async run(options, [name = ''], context) {
    const bare = name.replace(/^docker:\/\//, '');
    const { storage } = context.openEngine();
    const local = bare === name ? findManifestList(storage, listName(name)) : undefined;
    const document: unknown =
      local?.index ??
      JSON.parse((await fetchRemoteManifest(bare, registryAccess(options, context))).toString());
    await printFormatted(document, options.format, context.stdout);
    return 0;
  },
});
