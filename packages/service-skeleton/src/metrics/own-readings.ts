import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import type { Clock } from '@sigv4-keyd/hop-protocol';
import { isConfined } from '../confinement/index.js';
import { VERSION } from '../version.js';
import type { Readings, Watched } from './definitions.js';

type CertificateName =
  | 'keyd_certificate_not_before_timestamp_seconds'
  | 'keyd_certificate_not_after_timestamp_seconds'
  | 'keyd_certificate_expiry_seconds';

/** What the process tells, whatever it does. */
export type OwnName = 'keyd_build_info' | 'keyd_ready' | 'keyd_warnings' | 'keyd_confined';

export interface OwnReadingsOptions {
  readonly service: Watched;
  readonly notReady: () => readonly string[];
  readonly warnings: () => readonly string[];
}

/** What every service tells of itself. */
export function ownReadings({ service, notReady, warnings }: OwnReadingsOptions): Pick<Readings<Watched>, OwnName> {
  return {
    keyd_build_info: [{ labels: { version: VERSION, service }, value: 1 }],
    keyd_ready: notReady().length === 0 ? 1 : 0,
    keyd_warnings: warnings().length,
    keyd_confined: isConfined() ? 1 : 0,
  };
}

/** How long the certificate of a service lives. */
export function certificateReadings(
  { current: { notBefore, notAfter } }: CredentialsStore,
  clock: Pick<Clock, 'now'>,
): Pick<Readings<Watched>, CertificateName> {
  return {
    keyd_certificate_not_before_timestamp_seconds: notBefore.getTime() / 1000,
    keyd_certificate_not_after_timestamp_seconds: notAfter.getTime() / 1000,
    keyd_certificate_expiry_seconds: (notAfter.getTime() - clock.now()) / 1000,
  };
}
