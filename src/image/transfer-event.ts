import type { Digest } from '../oci/digest.ts';

/** What a pull or push tells whoever shows its progress. */
export type TransferEvent =
  | { readonly kind: 'begin'; readonly name: string }
  | {
      readonly kind: 'blob';
      readonly digest: Digest;
      readonly sizeBytes: number;
      readonly state: BlobState;
    }
  | { readonly kind: 'bytes'; readonly digest: Digest; readonly bytes: number }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string };

/** `started`, then one of the others; `exists` and `mounted` may come without `started`. */
export type BlobState = 'started' | 'done' | 'exists' | 'mounted';

export type OnTransfer = (event: TransferEvent) => void;
