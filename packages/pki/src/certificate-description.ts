export type PkiFileKind = 'authority' | 'leaf' | 'request' | 'private-key' | 'unknown';

export type FileProblemCode =
  | 'unreadable'
  | 'malformed'
  | 'expired'
  | 'not-yet-valid'
  | 'no-spiffe-id'
  | 'several-uri-sans'
  | 'malformed-spiffe-id'
  | 'key-readable-by-others'
  | 'key-mismatch'
  | 'not-issued-by-ca'
  | 'request-refused';

export interface FileProblem {
  readonly code: FileProblemCode;
  /** What is wrong, and what to do. */
  readonly text: string;
}

/** One certificate, request or private key of a folder. A file with several certificates has several descriptions. */
export interface CertificateDescription {
  readonly file: string;
  readonly kind: PkiFileKind;
  readonly spiffeId?: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** Hexadecimal. */
  readonly serial?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Whole days; negative once it has expired. */
  readonly daysLeft?: number;
  readonly problems: readonly FileProblem[];
}
