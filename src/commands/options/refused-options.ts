import { TsmanError } from '../../base/error.ts';
import type { CommandContext, OptionSpecs, TextOption } from '../command.ts';
import { optionName } from '../parse.ts';

/** An option that Podman or Docker has and that cannot be honoured here. */
export interface RefusedOption extends TextOption {
  /** Completes "option --x: …". */
  readonly refusedBecause: string;
}

/** Declares an option that is known, so that nobody thinks it is mistyped, and refused with a reason. */
export function refused(because: string, flag = false): RefusedOption {
  return {
    kind: 'text',
    value: 'VALUE',
    help: `refused: ${because}`,
    hidden: true,
    refusedBecause: because,
    ...(flag ? { implied: 'true' } : {}),
  };
}

const NO_SIGNING = 'images are not signed here; cosign sign does it once they are pushed';
const NO_ENCRYPTION = 'layers are neither encrypted nor decrypted; skopeo copy does it';

/** What pull cannot do. */
export const REFUSED_PULL_OPTIONS = {
  decryptionKey: refused(NO_ENCRYPTION),
  signaturePolicy: refused('the policy is ~/.config/containers/policy.json, else that in /etc'),
} as const satisfies OptionSpecs;

/** What push cannot do. */
export const REFUSED_PUSH_OPTIONS = {
  encryptLayer: refused(NO_ENCRYPTION),
  encryptionKey: refused(NO_ENCRYPTION),
  signBy: refused(NO_SIGNING),
  signBySigstore: refused(NO_SIGNING),
  signBySigstorePrivateKey: refused(NO_SIGNING),
  signBySqFingerprint: refused(NO_SIGNING),
  signPassphraseFile: refused(NO_SIGNING),
  signaturePolicy: refused('what is pushed needs no signature'),
} as const satisfies OptionSpecs;

const NO_ARTIFACTS = 'OCI artifacts are not stored; oras attaches them to what was pushed';

/** What `manifest add` cannot put into a list. */
export const REFUSED_ARTIFACT_OPTIONS = {
  artifact: refused(NO_ARTIFACTS, true),
  artifactConfig: refused(NO_ARTIFACTS),
  artifactConfigType: refused(NO_ARTIFACTS),
  artifactExcludeTitles: refused(NO_ARTIFACTS, true),
  artifactLayerType: refused(NO_ARTIFACTS),
  artifactSubject: refused(NO_ARTIFACTS),
  artifactType: refused(NO_ARTIFACTS),
} as const satisfies OptionSpecs;

function reasonOf(spec: object): string | undefined {
  return 'refusedBecause' in spec ? String(spec.refusedBecause) : undefined;
}

/** @throws TsmanError (exit 125) for the first refused option that was given */
export function refuseOptions(specs: OptionSpecs, context: Pick<CommandContext, 'isSet'>): void {
  for (const [key, spec] of Object.entries(specs)) {
    const reason = reasonOf(spec);
    if (reason !== undefined && context.isSet(key))
      throw new TsmanError(`option --${optionName(key)}: ${reason}`);
  }
}
