export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST';

export function pemOf(label: PemLabel, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Undefined unless the text holds exactly one block of the label. */
export function derOfPem(label: PemLabel, pem: string): Buffer | undefined {
  const block = new RegExp(`^-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----$`);
  const base64 = block.exec(pem.trim())?.[1];
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
}
